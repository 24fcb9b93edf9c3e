/** Binds the instance machine to processes, probes, files and the fabric. */
import { fromCallback, fromPromise } from 'xstate';
import type { InputFrom } from 'xstate';
import { instanceMachine } from '../../machines/workload/instance.machine.ts';
import { workloadError } from '../../machines/workload/errors.ts';
import type {
  InstanceContext,
  InstanceFact,
  InstanceNews,
  PreparedFiles,
} from '../../machines/workload/instance-rules.ts';
import type { InstanceRecord, ProcessIdentity } from '../../machines/workload/instance-record.ts';
import type { Reason } from '../../machines/workload/plan.ts';
import type { ChildSpec } from '../../supervisor/index.ts';
import { childSpec } from '../../supervisor/index.ts';
import { createInstanceCertificates } from './certificate-keeper.ts';
import type { InstanceCertificates } from './certificate-keeper.ts';
import { createHealthWatch, createStartWatch } from './health-watch.ts';
import { pairPath } from './paths.ts';
import type { WorkloadPorts } from './ports/instance.ts';
import { killProcess } from './process-end.ts';

type Provided = NonNullable<Parameters<typeof instanceMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;

/** What an operator is shown of a dead instance's log. */
export const LOG_TAIL_LINES = 20;
/** Programs are looked up here unless the manifest's env says otherwise. */
export const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** The process that carries this record's token, for a runtime that died before it knew the pid. */
async function findByToken(
  { processes, fabric, homeId }: WorkloadPorts,
  token: string,
): Promise<ProcessIdentity | undefined> {
  const others = (await fabric.instances()).map((record) => record.token);
  const known = new Set(others.filter((other) => other !== token));
  return (await processes.strays(homeId, known)).find((stray) => stray.token === token);
}

export function environmentOf(
  record: InstanceRecord,
  files: PreparedFiles,
  port: number,
  homeId: string,
): Record<string, string> {
  return {
    PATH: DEFAULT_PATH,
    ...files.env,
    PORT: String(port),
    MESH_APP: record.app,
    MESH_NODE: record.node,
    MESH_INSTANCE: record.instance,
    MESH_VERSION: record.version,
    MESH_DIGEST: record.digest,
    MESH_HOME_ID: homeId,
  };
}

async function startProcess(
  ports: WorkloadPorts,
  record: InstanceRecord,
  files: PreparedFiles,
  signal: AbortSignal,
): Promise<{ process: ProcessIdentity; port: number }> {
  const port = await ports.ports.pick();
  const logPath = await ports.logs.prepare(record.app, record.instance);
  signal.throwIfAborted();
  const process = await ports.processes.spawn({
    instance: record.instance,
    command: files.command,
    args: files.args,
    env: environmentOf(record, files, port, ports.homeId),
    cwd: files.folder,
    token: record.token,
    logPath,
    onRuntimeDeath: ports.onRuntimeDeath,
  });
  try {
    await ports.fabric.recordInstance({ ...record, process, port });
  } catch (error) {
    await killProcess(ports, process);
    throw error;
  }
  return { process, port };
}

async function adoptProcess(
  ports: WorkloadPorts,
  identities: InstanceCertificates,
  record: InstanceRecord,
) {
  const process = record.process ?? (await findByToken(ports, record.token));
  if (process === undefined || record.port === null || !(await ports.processes.isAlive(process)))
    throw workloadError(
      'MESH_ERR_INSTANCE_GONE',
      `Instance ${record.instance} was looked for and is not running any more.`,
    );
  const settings = await ports.files.settings(record.digest);
  // It serves with what it has; a renewal that cannot begin is no reason to end it.
  await identities
    .keep(record)
    .catch((error: unknown) => ports.notice(`renewing for ${record.instance}`, error));
  return { process, port: record.port, settings };
}

/** Logs of recorded instances stay, and few others: a crash loop must not fill the disk. */
async function pruneLogs({ fabric, logs }: WorkloadPorts, app: string): Promise<void> {
  const records = await fabric.instances({ app });
  await logs.prune(app, new Set(records.map(({ instance }) => instance)));
}

/**
 * The endpoint first: nothing may be routed to it, whatever becomes of the rest. The record last: no
 * process may exist without one.
 */
async function reap(
  ports: WorkloadPorts,
  identities: InstanceCertificates,
  context: InstanceContext,
): Promise<Reason | null> {
  const { record, failure } = context;
  await ports.fabric.switchEndpoints([], [record.instance]);
  const process = context.process ?? (await findByToken(ports, record.token));
  if (process !== undefined) await killProcess(ports, process);
  const logTail =
    failure === null ? [] : await ports.logs.tail(record.app, record.instance, LOG_TAIL_LINES);
  await identities.release(record);
  await ports.files.discard(record.instance);
  await ports.fabric.forgetInstance(record.instance);
  await pruneLogs(ports, record.app).catch((error: unknown) =>
    ports.notice(`removing old logs of ${record.app}`, error),
  );
  return failure && { ...failure, lastProbe: failure.lastProbe ?? context.lastProbe, logTail };
}

export function createInstanceLogic(ports: WorkloadPorts) {
  const identities = createInstanceCertificates(ports);
  const tell = (record: InstanceRecord, news: InstanceNews): void => {
    ports.tree.send(pairPath(record), news);
  };
  const actors: Bindings = {
    prepareFiles: fromPromise(({ input, signal }) => ports.files.prepare(input.record, signal)),
    certifyInstance: fromPromise(async ({ input: { record, settings }, signal }) => ({
      env: await identities.certify(record, settings, signal),
    })),
    startProcess: fromPromise(({ input: { record, files }, signal }) =>
      files === null
        ? Promise.reject(new Error('There are no files to start.'))
        : startProcess(ports, record, files, signal),
    ),
    adoptProcess: fromPromise(({ input }) => adoptProcess(ports, identities, input.record)),
    watchProcess: fromCallback<InstanceFact, { process: ProcessIdentity | null }>(
      ({ input: { process }, sendBack }) => {
        if (process === null) return undefined;
        return ports.processes.watchExit(process, (exit) =>
          sendBack({ type: 'process.exited', exit }),
        );
      },
    ),
    watchStart: createStartWatch(ports),
    watchHealth: createHealthWatch(ports),
    // The lease goes first: whoever reads endpoints must not find one that is on its way out.
    drainRequests: fromPromise(async ({ input: { instance, deadlineMs }, signal }) => {
      await ports.fabric.switchEndpoints([], [instance]);
      return ports.requests.drain(instance, { deadlineMs, signal });
    }),
    reapProcess: fromPromise(({ input }) =>
      reap(ports, identities, input.context).catch((error: unknown) => {
        ports.notice(`cleaning up after instance ${input.context.record.instance}`, error);
        throw error;
      }),
    ),
  };
  return instanceMachine.provide({
    actors,
    actions: {
      tellReady: (_, { record, port }) =>
        tell(record, { type: 'instance.ready', instance: record.instance, port: port ?? 0 }),
      tellEnded: (_, { record, reason }) => {
        const jitter = ports.random.fraction();
        tell(record, { type: 'instance.ended', instance: record.instance, reason, jitter });
      },
      signalProcess: ({ context }, { process, signal }) => {
        // It may have failed while it served: nothing is routed to what is told to end.
        ports.fabric
          .switchEndpoints([], [context.record.instance])
          .catch((error: unknown) => ports.notice('removing an endpoint', error));
        if (process === null) return;
        ports.processes
          .signal(process, signal)
          .catch((error: unknown) => ports.notice(`sending ${signal} to ${process.pid}`, error));
      },
    },
  });
}

/** `temporary`: a crash of it is told to its agent/app actor, which finds the process again. */
export const instanceChildSpec = (
  logic: ReturnType<typeof createInstanceLogic>,
  input: InputFrom<typeof instanceMachine>,
): ChildSpec =>
  childSpec({ id: input.record.instance, logic, input, restart: 'temporary', shutdown: 1_000 });
