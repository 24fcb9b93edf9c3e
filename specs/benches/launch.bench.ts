/**
 * How much later than necessary a service is in the edge's reach: from the call that spawns it to the
 * commit of its endpoint, without what the service itself took from its execution to its listening.
 * Ours is a whole agent over a control plane on disk: spawn, record, probes, pair, rollout, switch.
 * What no runtime can be without is shown by the peer that asks without a pause: the execution, and
 * the service's first answer.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Processes } from '../../actors/workload/ports/process.ts';
import type { ProcessIdentity } from '../../machines/workload/instance-record.ts';
import { DEFAULT_SETTINGS } from '../../machines/workload/instance-rules.ts';
import type { Endpoint } from '../../machines/workload/plan.ts';
import { systemClock } from '../../runtime/adapters/clock.system.ts';
import { createFabric } from '../../runtime/adapters/fabric.sqlite.ts';
import { createLogFiles } from '../../runtime/adapters/log-files.fs.ts';
import { systemRandom } from '../../runtime/adapters/random.system.ts';
import { planRequest } from '../support/fabric-world.ts';
import { createRealWorld, SAMPLE_SERVICE } from '../support/processes-worlds.ts';
import { workloadTree } from '../support/workload-tree.ts';
import { median } from './harness.ts';
import type { BenchPlan } from './harness.ts';

/** Launches of one round, one after the other; their median is the round's figure. */
const LAUNCHES = 5;
const LAUNCH_TIMEOUT_MS = 10_000;

type RealWorld = Awaited<ReturnType<typeof createRealWorld>>;

/** What `/timing` of the sample service says, on the wall clock. */
interface Timing {
  readonly executedAt: number;
  readonly listeningAt: number;
}

const wallClock = (): number => performance.timeOrigin + performance.now();
const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

async function overheadOf(startedAt: number, knownAt: number, url: string): Promise<number> {
  const response = await fetch(`${url}/timing`);
  const { executedAt, listeningAt } = (await response.json()) as Timing;
  return executedAt - startedAt + (knownAt - listeningAt);
}

/** Tells when the last spawn was asked for. */
function timed(processes: Processes): {
  readonly port: Processes;
  readonly spawnedAt: () => number;
} {
  let at = 0;
  const port: Processes = {
    ...processes,
    spawn: (spec, signal) => {
      at = wallClock();
      return processes.spawn(spec, signal);
    },
  };
  return { port, spawnedAt: () => at };
}

/** An agent with its control plane on disk; files and settings of the sample service are given. */
async function startAgent(world: RealWorld) {
  const { folder } = world;
  const { port: processes, spawnedAt } = timed(world.processes);
  const fabric = createFabric({ path: join(folder, 'fabric.sqlite'), clock: systemClock });
  // The warm-up is a wait that the manifest asks for.
  const settings = { ...DEFAULT_SETTINGS, warmupMs: 0, drainTimeoutMs: 0 };
  const files = { command: process.execPath, args: [SAMPLE_SERVICE], env: {}, folder };
  const ports = {
    fabric,
    processes,
    ports: world.ports,
    health: world.health,
    logs: createLogFiles({ folder: join(folder, 'logs'), clock: systemClock }),
    files: {
      prepare: () => Promise.resolve({ ...files, settings }),
      settings: () => Promise.resolve(settings),
      discard: () => Promise.resolve(),
    },
    requests: { drain: () => Promise.resolve({ cancelled: 0 }) },
    clock: systemClock,
    random: systemRandom,
    notice: (about: string, error: unknown) => {
      throw new Error(about, { cause: error });
    },
    homeId: world.homeId,
    onRuntimeDeath: 'keep' as const,
  };
  const tree = workloadTree(ports, ['node-1']);
  await tree.start();
  return {
    fabric,
    spawnedAt,
    end: async () => {
      await tree.stop();
      await fabric.close();
    },
  };
}
type Agent = Awaited<ReturnType<typeof startAgent>>;

/** Resolves when the endpoint of another instance is committed, in the turn of the commit. */
function nextEndpoint({ fabric }: Agent): Promise<{ endpoint: Endpoint; at: number }> {
  return new Promise((resolve) => {
    let before: string | undefined;
    const stop = fabric.watchEndpoints(([endpoint]) => {
      before ??= endpoint?.instance ?? '';
      if (endpoint === undefined || endpoint.instance === before) return;
      resolve({ endpoint, at: wallClock() });
      setImmediate(() => stop());
    });
  });
}

/** A switch to a new instance of the same app, as a restart would do it. */
async function launchByAgent(agent: Agent): Promise<number> {
  const registered = nextEndpoint(agent);
  const plan = await agent.fabric.publishPlan(planRequest({ max: 1, restart: true }));
  const { endpoint, at } = await registered;
  const overhead = await overheadOf(agent.spawnedAt(), at, endpoint.url);
  // The next plan comes to a quiet node.
  while (!(await isSettled(agent, plan.generation))) await pause(5);
  return overhead;
}

async function isSettled({ fabric }: Agent, generation: number): Promise<boolean> {
  const [deployment] = await fabric.history('hello');
  const alone = (await fabric.instances()).length === 1;
  return alone && deployment?.generation === generation && deployment.outcome === 'succeeded';
}

/** A plain spawn, and a connection and a request every `pauseMs`; 0 is without any pause. */
async function launchPlainly(world: RealWorld, pauseMs: number): Promise<number> {
  const port = await world.ports.pick();
  const { env, cwd } = world.spec('', { port });
  const startedAt = wallClock();
  const child = spawn(process.execPath, [SAMPLE_SERVICE], { env, cwd, stdio: 'ignore' });
  const deadline = startedAt + LAUNCH_TIMEOUT_MS;
  while (!(await isAnswering(port))) {
    if (wallClock() > deadline) throw new Error('There was no answer in time.');
    await (pauseMs === 0 ? nextTurn() : pause(pauseMs));
  }
  const overhead = await overheadOf(startedAt, wallClock(), `http://127.0.0.1:${port}`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return overhead;
}

function isAnswering(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
      socket.once('data', (head: Buffer) => {
        socket.destroy();
        resolve(head.toString('latin1').startsWith('HTTP/1.1 200'));
      });
    });
  });
}

/** Until the promise of `spawn` resolves, with a program that does nothing. */
async function spawnOurs(world: RealWorld): Promise<number> {
  const spec = world.spec('', { command: '/bin/sleep', args: ['60'] });
  const startedAt = performance.now();
  const identity = await world.processes.spawn(spec);
  const took = performance.now() - startedAt;
  await end(world, identity);
  return took;
}

async function end({ processes }: RealWorld, identity: ProcessIdentity): Promise<void> {
  const ended = new Promise((resolve) => void processes.watchExit(identity, resolve));
  await processes.signal(identity, 'SIGKILL');
  await ended;
}

async function spawnPlainly(world: RealWorld): Promise<number> {
  const { env, cwd, logPath } = world.spec('');
  const log = openSync(logPath, 'a', 0o600);
  const startedAt = performance.now();
  const options = { env, cwd, detached: true, stdio: ['ignore', log, log] } as const;
  const child = spawn('/bin/sleep', ['60'], { ...options, stdio: [...options.stdio] });
  const took = performance.now() - startedAt;
  closeSync(log);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return took;
}

const medianOf =
  <Subject>(launch: (subject: Subject) => Promise<number>, subject: Subject) =>
  async () => {
    const figures: number[] = [];
    for (let count = 0; count < LAUNCHES; count++) figures.push(await launch(subject));
    return median(figures);
  };

export async function bench(): Promise<BenchPlan> {
  const world = await createRealWorld();
  const agent = await startAgent(world);
  return {
    rows: [
      {
        metric: 'spawn to endpoint registered, minus own start-up',
        unit: 'ms',
        better: 'less',
        ours: medianOf(launchByAgent, agent),
        peers: {
          'a plain spawn, asked without a pause': medianOf((real) => launchPlainly(real, 0), world),
          'a plain spawn, asked every 100 ms': medianOf((real) => launchPlainly(real, 100), world),
        },
      },
      {
        metric: 'the spawn call',
        unit: 'ms',
        better: 'less',
        ours: medianOf(spawnOurs, world),
        peers: { 'node:child_process': medianOf(spawnPlainly, world) },
      },
    ],
    dispose: async () => {
      await agent.end();
      await world[Symbol.asyncDispose]();
    },
  };
}
