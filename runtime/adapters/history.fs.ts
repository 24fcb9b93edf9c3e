/**
 * The history of a Coordinator as files, for a folder that several processes share on one machine:
 *
 *     manifests/<sha256>   policies/<sha256>   transitions/<sha256>   transitions/latest
 *     deliveries/<id>
 *
 * Files are written whole or not at all and are on disk when a promise resolves. `latest` moves under
 * a lock that the kernel frees when its holder dies.
 */
import { constants } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { watch as watchFolder } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTENT_BYTES_MAX, DELIVERIES_MAX } from '../../actors/coordinator/ports/history.ts';
import type {
  ContentKind,
  History,
  StoredDelivery,
} from '../../actors/coordinator/ports/history.ts';
import { historyError } from '../../machines/coordinator/history-errors.ts';
import { decodeLatest, encodeLatest } from '../../machines/coordinator/transition.ts';
import type { LatestRecord } from '../../machines/coordinator/transition.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { isDigest } from '../../machines/kernel/ids.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import { syncFolder, writeAtomically } from '../spore/durable.ts';
import { withFileLock } from './file-lock.sqlite.ts';
import { Watchers, checkedContent, digestOf, unavailable } from './history/content.ts';

/** A swap takes milliseconds; whoever holds the lock for longer hangs. */
const LOCK_TIMEOUT_MS = 5_000;
const FOLDERS = ['manifests', 'policies', 'transitions', 'deliveries'] as const;
const LATEST = 'latest';
const FILE_MODE = 0o600;

export interface FileHistoryOptions {
  /** Made if it is not there; its parent must be. */
  readonly folder: string;
}

/** Opens or makes the folder (0700); MESH_ERR_HISTORY_UNAVAILABLE. */
export async function createFileHistory({ folder }: FileHistoryOptions): Promise<History> {
  const store = new FileStore(folder);
  await store.make();
  return store;
}

class FileStore implements History {
  readonly #folder: string;
  readonly #watchers = new Watchers();
  #watcher: FSWatcher | undefined;
  #isClosed = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async make(): Promise<void> {
    await this.#guarded('Opening', async () => {
      for (const name of FOLDERS)
        await mkdir(join(this.#folder, name), { recursive: true, mode: 0o700 });
      await syncFolder(this.#folder);
    });
  }

  async put(kind: ContentKind, bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(kind, bytes);
    await this.#guarded('Writing to', async () => {
      const path = join(this.#folder, kind, digest);
      if (!(await isIntact(path, digest, kind))) await writeWhole(path, bytes);
    });
    return digest;
  }

  async get(kind: ContentKind, digest: Digest): Promise<Uint8Array> {
    const bytes = await this.#guarded('Reading', () => readWhole(join(this.#folder, kind, digest)));
    return checkedContent(kind, digest, bytes);
  }

  async latest(): Promise<LatestRecord | null> {
    const bytes = await this.#guarded('Reading', () => readWhole(this.#latestPath));
    return bytes === undefined ? null : decodeLatest(bytes);
  }

  async compareAndSwap(expected: Digest | null, next: LatestRecord) {
    try {
      const done = await this.#guarded('Swapping the latest of', () =>
        withFileLock(this.#latestPath, LOCK_TIMEOUT_MS, async () => {
          const found = await this.latest();
          if ((found?.transition ?? null) !== expected) return { type: 'mismatch', found } as const;
          await writeWhole(this.#latestPath, encodeLatest(next));
          return { type: 'swapped' } as const;
        }),
      );
      if (done) return done.result;
      throw historyError('MESH_ERR_HISTORY_UNAVAILABLE', `${this.#folder} stayed locked.`);
    } catch (cause) {
      return { type: 'unavailable', cause } as const;
    }
  }

  watch(listener: Parameters<History['watch']>[0]): () => void {
    const stop = this.#watchers.add(listener);
    this.#begin();
    return () => {
      stop();
      if (this.#watchers.size === 0) this.#end();
    };
  }

  async keepDelivery(id: Digest, bytes: Uint8Array): Promise<void> {
    digestOf('deliveries', bytes);
    await this.#guarded('Writing to', async () => {
      await writeWhole(join(this.#folder, 'deliveries', id), bytes);
      const names = await this.#deliveryNames();
      for (const name of names.slice(DELIVERIES_MAX)) await this.dropDelivery(name);
    });
  }

  async deliveries(): Promise<readonly StoredDelivery[]> {
    return this.#guarded('Reading', async () => {
      const kept: StoredDelivery[] = [];
      for (const id of await this.#deliveryNames()) {
        const bytes = await readWhole(join(this.#folder, 'deliveries', id));
        // Another process may have dropped it since.
        if (bytes !== undefined) kept.push({ id, bytes });
      }
      return kept;
    });
  }

  async dropDelivery(id: Digest): Promise<void> {
    await this.#guarded('Writing to', async () => {
      await rm(join(this.#folder, 'deliveries', id), { force: true });
      await syncFolder(join(this.#folder, 'deliveries'));
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watchers.clear();
    this.#end();
  }

  get #latestPath(): string {
    return join(this.#folder, 'transitions', LATEST);
  }

  /** Newest first. */
  async #deliveryNames(): Promise<Digest[]> {
    const folder = join(this.#folder, 'deliveries');
    const aged: { readonly name: Digest; readonly atNs: bigint }[] = [];
    for (const name of (await readdir(folder)).filter(isDigest)) {
      const found = await stat(join(folder, name), { bigint: true }).catch(orAbsent);
      if (found) aged.push({ name, atNs: found.mtimeNs });
    }
    return aged.sort((one, other) => (one.atNs < other.atNs ? 1 : -1)).map(({ name }) => name);
  }

  #begin(): void {
    if (this.#watcher || this.#watchers.size === 0) return;
    try {
      const watcher = watchFolder(join(this.#folder, 'transitions'), { persistent: false });
      this.#watcher = watcher;
      watcher.on('change', (_, name) => {
        // A rename onto `latest` is told by either name.
        if (name === null || String(name).includes(LATEST)) this.#watchers.changed();
      });
      watcher.on('error', (error) => this.#fail(error));
    } catch (error) {
      // The caller has its way to stop before it hears of the failure.
      queueMicrotask(() => this.#fail(error));
    }
  }

  #fail(error: unknown): void {
    this.#end();
    this.#watchers.fail(String(error));
  }

  #end(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  async #guarded<Result>(attempted: string, work: () => Promise<Result>): Promise<Result> {
    const attempt = `${attempted} the history ${this.#folder}`;
    if (this.#isClosed) throw historyError('MESH_ERR_HISTORY_UNAVAILABLE', `${attempt}: closed.`);
    try {
      return await work();
    } catch (cause) {
      throw unavailable(attempt, cause);
    }
  }
}

const orAbsent = (error: unknown): undefined => {
  if (codeOf(error) !== 'ENOENT') throw error;
};

/** The bytes of a small regular file, never through a link; `undefined` where there is none. */
async function readWhole(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(orAbsent);
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    if (size > CONTENT_BYTES_MAX)
      throw historyError('MESH_ERR_HISTORY_CORRUPT', `Reading ${path}: it has ${size} bytes.`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Content that is damaged is written again by who has it whole. */
async function isIntact(path: string, digest: Digest, kind: ContentKind): Promise<boolean> {
  const bytes = await readWhole(path);
  if (bytes === undefined) return false;
  return digestOf(kind, bytes) === digest;
}

const writeWhole = (path: string, bytes: Uint8Array): Promise<void> =>
  writeAtomically(path, (file) => file.writeFile(bytes), { mode: FILE_MODE });
