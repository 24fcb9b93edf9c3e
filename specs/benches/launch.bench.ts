/**
 * How much later than necessary a service is known to be up: from the call that spawns it to the
 * first healthy answer, without what the service itself took from its execution to its listening.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { ProcessIdentity } from '../../machines/workload/instance-record.ts';
import { createRealWorld, SAMPLE_SERVICE } from '../support/processes-worlds.ts';
import { median } from './harness.ts';
import type { BenchPlan } from './harness.ts';

/** Launches of one round, one after the other; their median is the round's figure. */
const LAUNCHES = 5;
const PEER_PAUSE_MS = 100;
const LAUNCH_TIMEOUT_MS = 10_000;
const NEVER = new AbortController().signal;

type World = Awaited<ReturnType<typeof createRealWorld>>;

/** What `/timing` of the sample service says, on the wall clock. */
interface Timing {
  readonly executedAt: number;
  readonly listeningAt: number;
}

const wallClock = (): number => performance.timeOrigin + performance.now();
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

async function untilHealthy({ health }: World, port: number, isPatient: boolean): Promise<number> {
  const deadline = performance.now() + LAUNCH_TIMEOUT_MS;
  const connectWithinMs = isPatient ? LAUNCH_TIMEOUT_MS : 0;
  const request = { port, path: '/health', timeoutMs: LAUNCH_TIMEOUT_MS, connectWithinMs };
  for (;;) {
    const result = await health.probe(request, NEVER);
    if (result.ok) return wallClock();
    if (performance.now() > deadline) throw new Error(`No health in time: ${result.message}.`);
    await pause(PEER_PAUSE_MS);
  }
}

async function overheadOf(startedAt: number, healthyAt: number, port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/timing`);
  const { executedAt, listeningAt } = (await response.json()) as Timing;
  return executedAt - startedAt + (healthyAt - listeningAt);
}

async function launchOurs(world: World): Promise<number> {
  const port = await world.ports.pick();
  const startedAt = wallClock();
  const identity = await world.processes.spawn(world.spec('', { port }));
  const healthyAt = await untilHealthy(world, port, true);
  const overhead = await overheadOf(startedAt, healthyAt, port);
  await end(world, identity);
  return overhead;
}

async function launchByPolling(world: World): Promise<number> {
  const port = await world.ports.pick();
  const { env, cwd } = world.spec('', { port });
  const startedAt = wallClock();
  const child = spawn(process.execPath, [SAMPLE_SERVICE], { env, cwd, stdio: 'ignore' });
  const healthyAt = await untilHealthy(world, port, false);
  const overhead = await overheadOf(startedAt, healthyAt, port);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return overhead;
}

async function end({ processes }: World, identity: ProcessIdentity): Promise<void> {
  const ended = new Promise((resolve) => void processes.watchExit(identity, resolve));
  await processes.signal(identity, 'SIGKILL');
  await ended;
}

/** Until the promise of `spawn` resolves, with a program that does nothing. */
async function spawnOurs(world: World): Promise<number> {
  const spec = world.spec('', { command: '/bin/sleep', args: ['60'] });
  const startedAt = performance.now();
  const identity = await world.processes.spawn(spec);
  const took = performance.now() - startedAt;
  await end(world, identity);
  return took;
}

async function spawnPlainly(world: World): Promise<number> {
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

const medianOf = (launch: (world: World) => Promise<number>, world: World) => async () => {
  const figures: number[] = [];
  for (let count = 0; count < LAUNCHES; count++) figures.push(await launch(world));
  return median(figures);
};

export async function bench(): Promise<BenchPlan> {
  const world = await createRealWorld();
  return {
    rows: [
      {
        metric: 'spawn to health 200, minus own start-up',
        unit: 'ms',
        better: 'less',
        ours: medianOf(launchOurs, world),
        peers: { 'polling every 100 ms': medianOf(launchByPolling, world) },
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
      await world[Symbol.asyncDispose]();
    },
  };
}
