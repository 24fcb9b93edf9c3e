/**
 * Runs seeds of the simulation: `npm run sim -- --peers 5 --seeds 500 [--first-seed N] [--seconds S]`.
 * Ends with 1 at the first seed that breaks a rule, with its trace and the command that runs it again.
 */
import { parseArgs } from 'node:util';
import { runSeed } from './world.ts';
import type { RunResult } from './world.ts';

const USAGE = 'npm run sim -- [--peers N] [--seeds N] [--first-seed N] [--seconds S] [--trace]';
/** Beyond this one run takes hours and gigabytes. */
const PEERS_MAX = 1000;
const SEEDS_MAX = 1_000_000;
const TRACE_SHOWN = 60;
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

function showFailure({ violations, trace, seed }: RunResult, { peers, isTraced }: Wish): void {
  const shown = isTraced ? trace : trace.slice(-TRACE_SHOWN);
  process.stdout.write(
    `\nSeed ${seed} broke a rule:\n${violations.map((one) => `  ${one}\n`).join('')}` +
      `The last of its trace:\n${shown.map((line) => `  ${line}\n`).join('')}` +
      `Run it again, with all of the trace:\n` +
      `  npm run sim -- --peers ${peers} --first-seed ${seed} --seeds 1 --trace\n`,
  );
}

async function main(wish: Wish): Promise<number> {
  const beganAtMs = performance.now();
  const sum: Sum = { runs: 0, steps: 0, checks: 0, slowestMs: 0 };
  for (let nth = 0; nth < wish.seeds; nth++) {
    if (performance.now() - beganAtMs > wish.seconds * 1000) break;
    const traceMax = wish.isTraced ? TRACE_ALL : TRACE_SHOWN;
    const result = await runSeed({ seed: wish.firstSeed + nth, peers: wish.peers, traceMax });
    sum.runs++;
    sum.steps += result.steps;
    sum.checks += result.checks;
    sum.slowestMs = Math.max(sum.slowestMs, result.convergedAfterMs ?? 0);
    tell(sum, wish, beganAtMs, nth + 1 === wish.seeds || result.violations.length > 0);
    if (result.violations.length === 0) {
      if (wish.isTraced) process.stdout.write(`${result.trace.join('\n')}\n`);
      continue;
    }
    showFailure(result, wish);
    return 1;
  }
  process.stdout.write(`No rule was broken in ${sum.runs} seeds.\n`);
  return 0;
}

try {
  process.exitCode = await main(wishOf(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 2;
}
