/**
 * Measures ours and the peers in the same run. Absolute times vary between machines and minutes, so
 * rounds alternate and the medians of the same rounds are compared; quote the ratios.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';

/** One round: does the work once and returns the figure in the row's unit. */
export type Measure = () => number | Promise<number>;

/** A peer that is not on this machine: shown as a gap, never an error. */
export interface Missing {
  readonly missing: string;
}

export const missing = (reason: string): Missing => ({ missing: reason });

export interface BenchRow {
  readonly metric: string;
  readonly unit: string;
  /** Which way is good; decides only how the table reads. */
  readonly better: 'more' | 'less';
  readonly ours: Measure;
  readonly peers: { readonly [peer: string]: Measure | Missing };
}

export interface BenchPlan {
  readonly rows: readonly BenchRow[];
  /** Called once after the last round, also when a round failed. */
  readonly dispose?: () => void | Promise<void>;
}

/** What a `NAME.bench.ts` exports as `bench`. */
export type Bench = () => BenchPlan | Promise<BenchPlan>;

export interface RowResult {
  readonly metric: string;
  readonly unit: string;
  /** Median of the rounds. */
  readonly ours: number;
  readonly peers: { readonly [peer: string]: number };
  /** ours / peer: above 1 is good where more is better, below 1 where less is. */
  readonly ratio: { readonly [peer: string]: number };
  /** Reason by peer that could not be measured here. */
  readonly gaps?: { readonly [peer: string]: string };
}

export interface BenchResult {
  readonly name: string;
  readonly machine: MachineFacts;
  readonly rows: readonly RowResult[];
}

export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly openssl: string;
}

/** Fewest rounds that make a median worth quoting. */
export const ROUNDS_MIN = 5;

export interface RunOptions {
  /** At least ROUNDS_MIN, which is the default. */
  readonly rounds?: number;
  /** Told before each round; for a person who waits. */
  readonly onRound?: (text: string) => void;
}

/** Runs every row of a bench; the first round of each contender warms up and is not counted. */
export async function runBench(
  name: string,
  bench: Bench,
  options: RunOptions = {},
): Promise<BenchResult> {
  const rounds = Math.max(ROUNDS_MIN, options.rounds ?? ROUNDS_MIN);
  const plan = await bench();
  const rows: RowResult[] = [];
  try {
    for (const row of plan.rows) rows.push(await runRow(row, rounds, options.onRound));
  } finally {
    await plan.dispose?.();
  }
  return { name, machine: machineFacts(), rows };
}

async function runRow(
  row: BenchRow,
  rounds: number,
  onRound?: (text: string) => void,
): Promise<RowResult> {
  const contenders: [string, Measure][] = [['ours', row.ours]];
  const gaps: Record<string, string> = {};
  for (const [peer, measure] of Object.entries(row.peers))
    if (typeof measure === 'function') contenders.push([peer, measure]);
    else gaps[peer] = measure.missing;

  const figures = new Map<string, number[]>(contenders.map(([who]) => [who, []]));
  for (let round = 0; round <= rounds; round++) {
    // The order turns with each round, so that nobody always runs on the warmer machine.
    const turn = round % contenders.length;
    for (const [who, measure] of [...contenders.slice(turn), ...contenders.slice(0, turn)]) {
      onRound?.(`${row.metric}: ${round === 0 ? 'warm-up' : `round ${round}`} of ${who}`);
      const figure = await measure();
      if (round > 0) figures.get(who)?.push(figure);
    }
  }
  const medians = new Map([...figures].map(([who, values]) => [who, median(values)]));
  const ours = medians.get('ours') ?? Number.NaN;
  medians.delete('ours');
  const ratios = [...medians].map(([peer, value]) => [peer, ours / value] as const);
  return {
    metric: row.metric,
    unit: row.unit,
    ours,
    peers: Object.fromEntries(medians),
    ratio: Object.fromEntries(ratios),
    ...(Object.keys(gaps).length === 0 ? {} : { gaps }),
  };
}

/** The middle value; the mean of the two middle ones when there are evenly many. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function machineFacts(): MachineFacts {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    node: process.versions.node,
    openssl: process.versions.openssl,
  };
}

/** Where `program` is on PATH (or in /usr/sbin, which users' PATHs leave out). */
export function programOnPath(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find((path) => isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Absent or not executable: the answer to the question, not a failure.
    return false;
  }
}

let ticksPerSecond: number | undefined;

/**
 * CPU seconds (user and system, all threads) that process `pid` has used, from /proc/PID/stat; with
 * `children`, also those of children that it has waited for. Resolution 10 ms.
 */
export function cpuSecondsOf(pid: number, children = false): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the command in parentheses and may hold spaces; the third comes after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, children ? 15 : 13).map(Number);
  return ticks.reduce((sum, value) => sum + value, 0) / ticksPerSecond;
}

/** Wall-clock seconds that `work` takes. */
export async function secondsOf(work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}
