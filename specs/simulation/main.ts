/**
 * Runs seeds of the simulation: `npm run sim -- --peers 5 --seeds 500 [--first-seed N] [--seconds S]`.
 * Ends with 1 at the first seed that breaks a rule, with its trace and the command that runs it again.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { TRACE_SHOWN, failureText } from './failure-text.ts';
import { runSeed } from './world.ts';
import type { RunResult } from './world.ts';

const USAGE = 'npm run sim -- [--peers N] [--seeds N] [--first-seed N] [--seconds S] [--trace]';
/** Beyond this one run takes hours and gigabytes. */
const PEERS_MAX = 1000;
const SEEDS_MAX = 1_000_000;
/** Each takes a third of a gigabyte, with few peers. */
const THREADS_MAX = 16;
/** So many peers take gigabytes, so one run at a time is enough. */
const LARGE_PEERS = 100;
/** Node's own limit would end a thousand peers. */
const HEAP_MB = 2048;
const HEAP_PER_PEER_MB = 8;
const TRACE_ALL = 100_000;

interface Wish {
  readonly peers: number;
  readonly seeds: number;
  readonly firstSeed: number;
  readonly seconds: number;
  readonly isTraced: boolean;
}

function wishOf(args: readonly string[]): Wish {
  const { values } = parseArgs({
    args: [...args],
    options: {
      peers: { type: 'string', default: '5' },
      seeds: { type: 'string', default: '100' },
      'first-seed': { type: 'string', default: '1' },
      seconds: { type: 'string', default: '86400' },
      trace: { type: 'boolean', default: false },
    },
  });
  return {
    peers: count('peers', values.peers, 2, PEERS_MAX),
    seeds: count('seeds', values.seeds, 1, SEEDS_MAX),
    firstSeed: count('first-seed', values['first-seed'], 0, Number.MAX_SAFE_INTEGER),
    seconds: count('seconds', values.seconds, 1, 86_400),
    isTraced: values.trace,
  };
}

function count(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new Error(`--${name} is ${text}, and must be a number from ${least} to ${most}.`);
}

interface Sum {
  runs: number;
  steps: number;
  checks: number;
  slowestMs: number;
}

function tell(sum: Sum, wish: Wish, beganAtMs: number, isLast: boolean): void {
  const seconds = ((performance.now() - beganAtMs) / 1000).toFixed(1);
  const line =
    `${sum.runs} of ${wish.seeds} seeds, ${wish.peers} peers: ${sum.steps} events, ` +
    `${sum.checks} checks, slowest convergence ${Math.round(sum.slowestMs / 60_000)} min, ${seconds} s`;
  if (process.stderr.isTTY) process.stderr.write(`\r${line}${isLast ? '\n' : ''}`);
  else if (isLast || sum.runs % 50 === 0) process.stderr.write(`${line}\n`);
}

/** Runs one seed after the other in this thread or another. */
interface Runner {
  readonly run: (seed: number) => Promise<RunResult>;
  readonly end: () => Promise<unknown>;
}

function createRunner({ peers, isTraced, seeds }: Wish): Runner {
  const options = { peers, traceMax: isTraced ? TRACE_ALL : TRACE_SHOWN };
  if (seeds === 1 && peers < LARGE_PEERS)
    return { run: (seed) => runSeed({ seed, ...options }), end: () => Promise.resolve() };
  const worker = new Worker(new URL('seeds.worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB + HEAP_PER_PEER_MB * peers },
  });
  return {
    run: async (seed) => {
      worker.postMessage({ seed, ...options }, []);
      const [result] = (await once(worker, 'message')) as [RunResult];
      return result;
    },
    end: () => worker.terminate(),
  };
}

/** Gives the first seed that broke a rule; those begun before it are waited for. */
async function runAll(wish: Wish, runners: readonly Runner[]): Promise<RunResult | undefined> {
  const beganAtMs = performance.now();
  const sum: Sum = { runs: 0, steps: 0, checks: 0, slowestMs: 0 };
  let begun = 0;
  let failed: RunResult | undefined;
  const isOver = (): boolean =>
    failed !== undefined ||
    begun >= wish.seeds ||
    performance.now() - beganAtMs > wish.seconds * 1000;
  const drive = async (runner: Runner): Promise<void> => {
    while (!isOver()) {
      const result = await runner.run(wish.firstSeed + begun++);
      sum.runs++;
      sum.steps += result.steps;
      sum.checks += result.checks;
      sum.slowestMs = Math.max(sum.slowestMs, result.convergedAfterMs ?? 0);
      if (result.violations.length > 0 && result.seed < (failed?.seed ?? Infinity)) failed = result;
      tell(sum, wish, beganAtMs, false);
      if (wish.isTraced && !failed) process.stdout.write(`${result.trace.join('\n')}\n`);
    }
  };
  await Promise.all(runners.map(drive));
  tell(sum, wish, beganAtMs, true);
  if (!failed) process.stdout.write(`No rule was broken in ${sum.runs} seeds.\n`);
  return failed;
}

async function main(wish: Wish): Promise<number> {
  const most = wish.peers < LARGE_PEERS ? THREADS_MAX : 1;
  const threads = Math.min(wish.seeds, availableParallelism(), most);
  const runners = Array.from({ length: threads }, () => createRunner(wish));
  try {
    const failed = await runAll(wish, runners);
    if (failed) process.stdout.write(failureText(failed, wish));
    return failed ? 1 : 0;
  } finally {
    await Promise.all(runners.map(({ end }) => end()));
  }
}

try {
  process.exitCode = await main(wishOf(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 2;
}
