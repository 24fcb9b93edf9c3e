/**
 * What every worker thread runs: one module's `run` per order. Errors go back as data, because
 * structured cloning keeps an error's message and loses its code.
 */
import type { MessagePort } from 'node:worker_threads';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { ErrorJson } from '../../machines/kernel/coded-error.ts';
import { poolError } from '../../machines/pool/errors.ts';
import { Transferring } from './transferring.ts';

/** Units done so far, of how many. Calls within 50 ms of the last one that counted are dropped. */
export type Progress = (done: number, total: number) => void;

/** What a worker module exports as `run`. It may be synchronous. */
export type Run<Payload, Result> = (
  payload: Payload,
  progress: Progress,
) => Result | Transferring<Result> | Promise<Result | Transferring<Result>>;

/** One task, as it travels to a worker. */
export interface WorkerOrder {
  /** URL of the worker module. */
  readonly module: string;
  readonly payload: unknown;
  /** Where progress goes; absent when nobody listens. */
  readonly progress?: MessagePort;
}

export type WorkerAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ErrorJson };

/** The least time between two reports of progress. */
const PROGRESS_INTERVAL_MS = 50;

const loaded = new Map<string, Run<unknown, unknown>>();

export default async function runOrder(order: WorkerOrder): Promise<unknown> {
  try {
    const run = loaded.get(order.module) ?? (await load(order.module));
    const outcome = await run(order.payload, progressTo(order.progress));
    if (outcome instanceof Transferring)
      return await moving({ ok: true, value: outcome.value }, outcome.buffers);
    return { ok: true, value: outcome } satisfies WorkerAnswer;
  } catch (thrown) {
    return { ok: false, error: errorOf(thrown, order.module) } satisfies WorkerAnswer;
  } finally {
    order.progress?.close();
  }
}

async function load(url: string): Promise<Run<unknown, unknown>> {
  const module = (await import(url)) as { run?: unknown };
  if (typeof module.run !== 'function') throw new TypeError('The module exports no function run.');
  const run = module.run as Run<unknown, unknown>;
  loaded.set(url, run);
  return run;
}

function progressTo(port: MessagePort | undefined): Progress {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (done, total) => {
    const nowMs = performance.now();
    if (port === undefined || nowMs - lastMs < PROGRESS_INTERVAL_MS) return;
    lastMs = nowMs;
    port.postMessage([done, total]);
  };
}

/** Loads the pool's own library only when a result needs it: most workers never do. */
async function moving(answer: WorkerAnswer, buffers: readonly ArrayBuffer[]): Promise<unknown> {
  const { move, transferableSymbol, valueSymbol } = await import('piscina');
  const carrier = { [transferableSymbol]: [...buffers], [valueSymbol]: answer };
  return move(carrier as unknown as Parameters<typeof move>[0]);
}

function errorOf(thrown: unknown, module: string): ErrorJson {
  if (thrown instanceof CodedError) return thrown.toJSON();
  const name = module.slice(module.lastIndexOf('/') + 1);
  const attempt = `Running ${name} in a worker.`;
  return poolError('MESH_ERR_POOL_TASK_FAILED', attempt, { cause: thrown }).toJSON();
}
