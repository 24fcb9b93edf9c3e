/** One instance over a real process, led along a path of the instance machine's graph. */
import { createServer } from 'node:http';
import { createActor, fromPromise } from 'xstate';
import type { AnyMachineSnapshot, EventObject } from 'xstate';
import { createInstanceLogic } from '../../../actors/workload/instance.actor.ts';
import type { Fabric } from '../../../actors/workload/ports/fabric.ts';
import type { WorkloadPorts } from '../../../actors/workload/ports/instance.ts';
import type { InstanceContext, PreparedFiles } from '../../../machines/workload/instance-rules.ts';
import type { instanceMachine } from '../../../machines/workload/instance.machine.ts';
import { stateText } from '../../../supervisor/describe.ts';
import { instanceRecord } from '../workload-samples.ts';
import { leavesAt } from './covering-paths.ts';
import type { Chosen } from './covering-paths.ts';
import { Gates } from './gates.ts';
import { noting } from './noting.ts';
import { RealWorld, until } from './real-world.ts';

const DELAYS = [
  'PREPARE_TIMEOUT_MS',
  'CERTIFY_TIMEOUT_MS',
  'SPAWN_TIMEOUT_MS',
  'TERMINATE_TIMEOUT_MS',
  'KILL_TIMEOUT_MS',
  'REAP_TIMEOUT_MS',
  'startTimeout',
  'warmup',
  'drainTimeout',
] as const;
const [SOON_MS, NEVER_MS] = [60, 600_000];
const INSTANCE = 'hello-1';

/** Where both must stand; probes that fail in between are the real world's. */
function standing({ value, context }: AnyMachineSnapshot): string {
  const { isAsked, failure, process } = context as InstanceContext;
  const found = failure?.code ?? null;
  return JSON.stringify({ value: stateText(value), isAsked, found, isStarted: process !== null });
}

/** The ports, whose calls wait where an effect of the machine does. */
function heldPorts(world: RealWorld, gates: Gates): WorkloadPorts {
  const ports = world.ports();
  const held = async <Result>(name: string, call: () => Promise<Result>): Promise<Result> => {
    await gates.wait(name);
    return call();
  };
  const { fabric, processes, files } = ports;
  const fabricChanges: Partial<Fabric> = {
    forgetInstance: (instance) => held('reapProcess', () => fabric.forgetInstance(instance)),
  };
  return {
    ...ports,
    tree: { send: () => true } as unknown as WorkloadPorts['tree'],
    fabric: Object.assign(Object.create(fabric) as Fabric, fabricChanges),
    files: {
      ...files,
      prepare: async (record, signal) => {
        const wanted = await gates.wait<PreparedFiles>('prepareFiles');
        const found = await files.prepare(record, signal);
        const { identity } = wanted.settings;
        return { ...found, settings: { ...found.settings, ...(identity && { identity }) } };
      },
    },
    processes: {
      ...processes,
      spawn: (spec, signal) =>
        held('startProcess', async () => {
          const identity = await processes.spawn(spec, signal);
          // From here on it ignores SIGTERM, too.
          if (world.modes.get(INSTANCE) !== 'no_listen')
            await until(
              () => `${INSTANCE} listens`,
              async () =>
                (await processes.listenerOf(identity, Number(spec.env['PORT']))) === 'own',
            );
          return identity;
        }),
      isAlive: (identity) => held('adoptProcess', () => processes.isAlive(identity)),
    },
    requests: { drain: () => held('drainRequests', () => Promise.resolve({ cancelled: 0 })) },
  };
}

/** A mesh without a Coordinator gives nothing to find, when it is let. */
async function certified(gates: Gates): Promise<{ env: Record<string, string> }> {
  await gates.wait('certifyInstance');
  return { env: {} };
}

/** Another program on the port of the instance, which answers 200 to everybody. */
async function hijack(world: RealWorld): Promise<() => void> {
  let port: number | null | undefined;
  await until(
    () => 'the instance has a port',
    async () => Boolean((port = (await world.recordOf(INSTANCE))?.port)),
  );
  const server = createServer((_, response) => response.end('mine'));
  await new Promise<void>((resolve) => void server.listen(port ?? 0, '127.0.0.1', resolve));
  return () => {
    server.close();
    server.closeAllConnections();
  };
}

type Step = EventObject & Record<string, unknown>;

class RealInstance implements AsyncDisposable {
  readonly world = new RealWorld();
  readonly gates = new Gates();
  readonly #ends = new AsyncDisposableStack();
  /** The steps whose deadlines are to be short. */
  due: readonly Step[] = [];
  /** Where it stood, one state after the other. */
  readonly stood: string[] = [];
  readonly took = new Set<string>();
  #send: (event: EventObject) => void = () => undefined;

  async begin(adopt: boolean, mode: string | undefined, note: (name: string) => void) {
    const { world, gates } = this;
    this.#ends.use(world);
    if (mode !== undefined) world.modes.set(INSTANCE, mode);
    let record = instanceRecord({ instance: INSTANCE, token: world.homeId });
    if (adopt) record = await world.serve(record);
    else await world.fabric.recordInstance(record);
    const isDue = (name: string) => (): number =>
      this.due.some(({ type }) => type.startsWith(`xstate.after.${name}.`)) ? SOON_MS : NEVER_MS;
    const bound = createInstanceLogic(heldPorts(world, gates)).provide({
      // Real Coordinators are asked in the scenario of certificates.
      actors: { certifyInstance: fromPromise(() => certified(gates)) },
      delays: Object.fromEntries(DELAYS.map((name) => [name, isDue(name)])),
    });
    const logic = noting(
      bound,
      (name) => {
        this.took.add(name);
        note(name);
      },
      (snapshot) => this.stood.push(standing(snapshot)),
    );
    const actor = createActor(logic, { input: { record, adopt } });
    actor.start();
    this.#send = (event) => actor.send(event as never);
    this.#ends.defer(() => void actor.stop());
  }

  /** Brings the next event of the path about by what causes it in reality. */
  async cause(event: Step): Promise<void> {
    const { type } = event;
    const { world, gates } = this;
    const effect = /^xstate\.(done|error)\.actor\.\d+\.instance\.(.*)$/.exec(type);
    if (type === 'health.passed') world.setHealthy(INSTANCE, true);
    else if (type === 'health.failed') world.setHealthy(INSTANCE, false);
    else if (type === 'process.exited') await world.kill(INSTANCE);
    else if (type === 'port.hijacked') this.#ends.defer(await hijack(world));
    else if (effect) {
      const gate = GATES[effect[2] ?? ''] ?? '';
      await until(
        () => `${gate} is asked for, not ${gates.waiting.join()}`,
        () => gates.waiting.includes(gate),
      );
      if (effect[1] === 'done') gates.open(gate, event['output']);
      else gates.fail(gate, event['error']);
    } else if (!type.startsWith('xstate.after.')) this.#send(event);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#ends.disposeAsync();
  }
}

const GATES: Readonly<Record<string, string>> = {
  preparing: 'prepareFiles',
  certifying: 'certifyInstance',
  starting: 'startProcess',
  adopting: 'adoptProcess',
  'running.draining': 'drainRequests',
  reaping: 'reapProcess',
};

/** Leads an instance along the path; throws where it does not come to stand where the model does. */
export async function walkInstance(
  { path, names }: Chosen<typeof instanceMachine>,
  taken: Set<string>,
): Promise<void> {
  await using one = new RealInstance();
  const events = [...path.prefix, path.event] as readonly Step[];
  const states = [...path.via, path.to] as unknown as readonly AnyMachineSnapshot[];
  const texts = states.map(({ value }) => stateText(value));
  const isHijacked = events.some(({ type }) => type === 'port.hijacked');
  one.due = events.slice(0, 1);
  await one.begin(path.initial.context.adopt, isHijacked ? 'no_listen' : undefined, (name) =>
    taken.add(name),
  );
  let stoodAt = 0;
  for (const [at, event] of events.entries()) {
    one.due = events.slice(at, leavesAt(texts, at) + 1);
    await one.cause(event);
    const expected = states[at] ? standing(states[at]) : '';
    await until(
      () => `${path.name}, step ${at + 1} (${event.type}): ${one.stood.at(-1)} is not ${expected}`,
      () => one.stood.includes(expected, stoodAt),
    );
    stoodAt = one.stood.indexOf(expected, stoodAt);
  }
  const missing = (): string[] => names.filter((name) => !one.took.has(name));
  await until(
    () => `${path.name} does not take ${missing().join(', ')}`,
    () => missing().length === 0,
  );
}
