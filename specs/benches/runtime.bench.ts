/**
 * The actor runtime against bare XState, Erlang/OTP, nact and comedy: the same small machine
 * everywhere. Each figure is taken in a process of its own, so that nobody works in another's heap.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { missing } from './harness.ts';
import type { BenchPlan, BenchRow, Measure, Missing } from './harness.ts';
import { compileOtp } from './runtime/otp.ts';

const run = promisify(execFile);
const CONTENDER = join(import.meta.dirname, 'runtime', 'contender.ts');
const FIGURE_TIMEOUT_MS = 120_000;

async function inNode(who: string, figure: string, size: number): Promise<number> {
  const args = ['--expose-gc', CONTENDER, who, figure, String(size)];
  const { stdout } = await run(process.execPath, args, { timeout: FIGURE_TIMEOUT_MS });
  return Number(stdout);
}

/** A row: its peers' figures have the same name as ours, and a gap says why one has none. */
interface Row extends Pick<BenchRow, 'metric' | 'unit' | 'better'> {
  readonly figure: string;
  readonly size: number;
  /** The file that takes our figure; default `ours`. */
  readonly who?: string;
  readonly peers: { readonly [peer in keyof typeof FILES | 'OTP']?: true | string };
}

/** The file that takes a peer's figures. */
const FILES = {
  XState: 'bare-xstate',
  nact: 'nact',
  comedy: 'comedy',
  'a commit each': 'sqlite',
} as const;

const IN_MEMORY_DO_NOT_CRASH = 'it starts processes and threads again, not actors in memory';
const BY_HAND = 'no supervisor; by hand it is quadratic, see the storm of 1,000';

const ROWS: readonly Row[] = [
  {
    metric: 'events through one supervised machine',
    unit: 'events/s',
    better: 'more',
    figure: 'events',
    size: 500_000,
    peers: { XState: true, OTP: true, nact: true, comedy: true },
  },
  {
    metric: 'the same while all of it is inspected',
    unit: 'events/s',
    better: 'more',
    figure: 'inspected',
    size: 500_000,
    peers: { XState: true },
  },
  {
    metric: 'children added one by one',
    unit: 'spawns/s',
    better: 'more',
    figure: 'spawn',
    size: 20_000,
    peers: { XState: true, OTP: true, nact: true, comedy: true },
  },
  {
    metric: 'heap of an idle machine',
    unit: 'B',
    better: 'less',
    figure: 'bytes',
    size: 20_000,
    peers: { XState: true, OTP: true, nact: true, comedy: true },
  },
  {
    metric: 'crash to restarted and serving, p50',
    unit: 'µs',
    better: 'less',
    figure: 'crash',
    size: 5000,
    peers: { OTP: true, XState: true, nact: true, comedy: IN_MEMORY_DO_NOT_CRASH },
  },
  {
    metric: 'start of 100,000 children',
    unit: 's',
    better: 'less',
    figure: 'start',
    size: 100_000,
    peers: { OTP: true, nact: true, comedy: true },
  },
  {
    metric: 'orderly stop of 100,000 children',
    unit: 's',
    better: 'less',
    figure: 'stop',
    size: 100_000,
    peers: { OTP: true, nact: true, comedy: 'quadratic: minutes' },
  },
  {
    metric: 'one_for_all over 10,000 children',
    unit: 's',
    better: 'less',
    figure: 'group',
    size: 10_000,
    peers: { OTP: true, nact: true, comedy: IN_MEMORY_DO_NOT_CRASH },
  },
  {
    metric: 'storm: 1,000 children crash at once, all serving',
    unit: 's',
    better: 'less',
    figure: 'storm',
    size: 1000,
    peers: { OTP: true, XState: true, nact: true, comedy: IN_MEMORY_DO_NOT_CRASH },
  },
  {
    metric: 'storm of 10,000',
    unit: 's',
    better: 'less',
    figure: 'storm',
    size: 10_000,
    peers: { OTP: true, XState: BY_HAND, nact: true, comedy: IN_MEMORY_DO_NOT_CRASH },
  },
  {
    metric: 'storm of 100,000',
    unit: 's',
    better: 'less',
    figure: 'storm',
    size: 100_000,
    peers: { OTP: 'quadratic: minutes', XState: BY_HAND, nact: true },
  },
  {
    metric: 'durable events through 1,000 machines, FULL sync',
    unit: 'events/s',
    better: 'more',
    who: 'durable',
    figure: 'durable',
    size: 50_000,
    peers: { 'a commit each': true },
  },
];

export async function bench(): Promise<BenchPlan> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-otp-'));
  const otp = await compileOtp(folder);
  const inPeer = (peer: string, figure: string, size: number): Measure | Missing => {
    if (peer !== 'OTP') return () => inNode(FILES[peer as keyof typeof FILES], figure, size);
    return otp ? () => otp.figure(figure, size) : missing('erlang-base is not installed');
  };
  return {
    rows: ROWS.map(({ figure, size, peers, who = 'ours', ...row }) => ({
      ...row,
      ours: () => inNode(who, figure, size),
      peers: Object.fromEntries(
        Object.entries(peers).map(([peer, can]) => [
          peer,
          can === true ? inPeer(peer, figure, size) : missing(can),
        ]),
      ),
    })),
    dispose: () => rm(folder, { recursive: true }),
  };
}
