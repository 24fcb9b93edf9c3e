import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nacl from 'tweetnacl';
import type { SignatureCheck, WorkerTask } from '../../actors/pool/ports.ts';
import type { PoolTask } from './pool-tasks.worker.ts';

const module = new URL('./pool-tasks.worker.ts', import.meta.url);

export const REPEATABLE: WorkerTask<PoolTask, unknown> = {
  name: 'repeatable',
  module,
  idempotent: true,
};
export const ONCE: WorkerTask<PoolTask, unknown> = { name: 'once', module, idempotent: false };

/** A folder that goes with its scope; `runsIn` counts the bytes that tasks left in a file. */
export async function createFolder(): Promise<
  AsyncDisposable & {
    readonly path: (name: string) => string;
    runsIn(name: string): Promise<number>;
  }
> {
  const folder = await mkdtemp(join(tmpdir(), 'pool-'));
  const path = (name: string): string => join(folder, name);
  return {
    path,
    runsIn: async (name) => (await readFile(path(name))).length,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Two cells that a spinning task shares with its spec; see the task `spin`. */
export const createCells = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

/** Polls until `condition` holds; fails after ten seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`It never came to this: ${what}.`);
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

const pair = nacl.sign.keyPair();
const message = Buffer.from('a public message');
const signature = nacl.sign.detached(message, pair.secretKey);

/** Checks of which those at `invalid` must fail. */
export function checksOf(count: number, invalid: readonly number[] = []): SignatureCheck[] {
  return Array.from({ length: count }, (_, index) => ({
    publicKey: pair.publicKey,
    signature,
    message: invalid.includes(index) ? Buffer.from('another message') : message,
  }));
}
