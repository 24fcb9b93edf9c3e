/** Worker tasks that do what real ones should not: for specs of the pool. */
import { appendFileSync, readFileSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { TerminalError } from '../../machines/kernel/coded-error.ts';
import { Transferring } from '../../runtime/workers/transferring.ts';
import type { Progress } from '../../runtime/workers/task.worker.ts';

export type PoolTask =
  | { readonly do: 'echo'; readonly value: unknown }
  | { readonly do: 'findCompileCache' }
  | { readonly do: 'failCoded' | 'failPlain' | 'failUnclonable' }
  /** Adds a byte to the file at each run, then exits while it has fewer than `deaths` of them. */
  | { readonly do: 'exit'; readonly log: string; readonly deaths: number }
  | { readonly do: 'exhaustMemory'; readonly log: string }
  | { readonly do: 'throwLater'; readonly log: string }
  /** Counts in `cells[0]` until `cells[1]` is set. */
  | { readonly do: 'spin'; readonly cells: Int32Array }
  | { readonly do: 'report'; readonly forMs: number }
  | { readonly do: 'fill'; readonly bytes: Uint8Array; readonly isMoved: boolean };

const HANG = new Promise<never>(() => {});

export function run(task: PoolTask, progress: Progress): unknown {
  switch (task.do) {
    case 'echo':
      return task.value;
    case 'findCompileCache':
      return getCompileCacheDir();
    case 'failCoded':
      throw new TerminalError('MESH_ERR_SPEC_TASK', 'It failed.', { details: { at: 7 } });
    case 'failPlain':
      throw new RangeError('No code.');
    case 'failUnclonable':
      return () => 'functions cannot be cloned';
    case 'exit':
      return exit(task.log, task.deaths);
    case 'exhaustMemory':
      appendFileSync(task.log, '.');
      return exhaustMemory();
    case 'throwLater':
      appendFileSync(task.log, '.');
      setTimeout(() => {
        throw new Error('Thrown out of band.');
      });
      return HANG;
    case 'spin':
      return spin(task.cells);
    case 'report':
      return report(task.forMs, progress);
    case 'fill':
      task.bytes.fill(7);
      return task.isMoved
        ? new Transferring(task.bytes, [task.bytes.buffer as ArrayBuffer])
        : task.bytes;
  }
}

function exit(log: string, deaths: number): unknown {
  appendFileSync(log, '.');
  const runs = readFileSync(log).length;
  if (runs > deaths) return runs;
  process.exit(3);
}

function exhaustMemory(): number {
  const kept: string[][] = [];
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => `${index} of ${kept.length}`));
}

function spin(cells: Int32Array): number {
  while (Atomics.load(cells, 1) === 0) Atomics.add(cells, 0, 1);
  return Atomics.load(cells, 0);
}

function report(forMs: number, progress: Progress): number {
  const from = performance.now();
  let calls = 0;
  while (performance.now() - from < forMs) progress(++calls, 0);
  return calls;
}
