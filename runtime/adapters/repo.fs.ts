import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkerPool } from '../../actors/pool/ports.ts';
import type { Repo, StoredSpore, TrustStore } from '../../actors/workload/ports/spore.ts';
import { CodedError, codeOf } from '../../machines/kernel/coded-error.ts';
import { isDigest } from '../../machines/kernel/ids.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import type { SporeManifest } from '../../machines/workload/manifest.schema.ts';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import type { SporePolicy, TrustEntry } from '../../machines/workload/spore-rules.ts';
import { syncFolder, writeFailure } from '../spore/durable.ts';
import { removeLeftovers, tempName } from './repo-temp.fs.ts';
import { sizeLimits, takeTask, throwFailedCheck, verifyTask } from '../spore/verify.ts';

export interface RepoOptions {
  /**
   * Who may publish here: keys that are trusted for some app. Absent: any valid signature, and
   * whoever runs a spore judges.
   */
  readonly trust?: TrustStore;
  /** What may be stored; default anything within the default size. Security fields are not judged. */
  readonly policy?: SporePolicy;
}

/** Stored spores whose digest or manifest is remembered; the oldest are forgotten. */
const REMEMBERED_MAX = 4096;

const SUFFIX = '.spore';
/**
 * A repo in a folder: `<digest>.spore` files. Several processes may use one folder. Opening it makes
 * the folder, and removes what a process that died left half-stored.
 */
export async function createRepo(
  dir: string,
  pool: WorkerPool,
  options: RepoOptions = {},
): Promise<Repo> {
  await guarded(`Opening the repo ${dir}`, async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    removeLeftovers(dir);
  });
  return new FsRepo(dir, pool, options);
}

class FsRepo implements Repo {
  readonly #dir: string;
  readonly #pool: WorkerPool;
  readonly #options: RepoOptions;
  readonly #checked = new Remembered<string>();
  readonly #manifests = new Remembered<SporeManifest>();
  readonly #checking = new Map<Digest, Promise<void>>();

  constructor(dir: string, pool: WorkerPool, options: RepoOptions) {
    this.#dir = dir;
    this.#pool = pool;
    this.#options = options;
  }

  async put(file: string, options: { readonly signal?: AbortSignal } = {}): Promise<Digest> {
    const temp = join(this.#dir, tempName());
    return guarded(`Storing ${file} in ${this.#dir}`, async () => {
      try {
        const payload = { ...this.#questions(file), ...(await this.#trusted()), copyTo: temp };
        const report = await this.#pool.run(takeTask, payload, options);
        throwFailedCheck(file, report);
        const { digest, manifest } = report;
        await rename(temp, this.#pathOf(digest));
        await syncFolder(this.#dir);
        this.#checked.set(digest, await identityOf(this.#pathOf(digest)));
        if (manifest) this.#manifests.set(digest, manifest);
        return digest;
      } finally {
        await rm(temp, { force: true });
      }
    });
  }

  async path(digest: Digest): Promise<string> {
    const path = this.#pathOf(digest);
    return guarded(`Looking up ${digest} in ${this.#dir}`, async () => {
      const identity = await identityOf(path);
      if (identity === undefined) throw unknown(digest, this.#dir);
      if (this.#checked.get(digest) === identity) return path;
      // Several that ask at once share one pass over the file.
      const check = this.#checking.get(digest) ?? this.#check(digest, path, identity);
      this.#checking.set(digest, check);
      await check.finally(() => this.#checking.delete(digest));
      return path;
    });
  }

  async manifest(digest: Digest): Promise<SporeManifest> {
    const path = await this.path(digest);
    const known = this.#manifests.get(digest);
    if (known) return known;
    // Whose it is was judged when it was stored, and is judged again by whoever runs it.
    const payload = { ...this.#questions(path), expectedDigest: digest };
    const report = await this.#pool.run(verifyTask, payload);
    throwFailedCheck(path, report);
    if (!report.manifest) throw unknown(digest, this.#dir);
    this.#manifests.set(digest, report.manifest);
    return report.manifest;
  }

  async ls(): Promise<readonly StoredSpore[]> {
    return guarded(`Listing ${this.#dir}`, async () => {
      const digests = (await readdir(this.#dir)).map(digestOf).filter((name) => name !== undefined);
      const stored = await Promise.all(
        digests.toSorted().map(async (digest) => {
          const found = await statOf(this.#pathOf(digest));
          return found && { digest, bytes: Number(found.size), storedAtMs: Number(found.mtimeMs) };
        }),
      );
      return stored.filter((spore) => spore !== undefined);
    });
  }

  async rm(digest: Digest): Promise<void> {
    const path = this.#pathOf(digest);
    await guarded(`Removing ${digest} from ${this.#dir}`, async () => {
      await rm(path).catch((cause: unknown) => {
        throw codeOf(cause) === 'ENOENT' ? unknown(digest, this.#dir) : cause;
      });
      await syncFolder(this.#dir);
    });
    this.#checked.delete(digest);
    this.#manifests.delete(digest);
  }

  async gc(
    keep: ReadonlySet<Digest>,
    options: { readonly minAgeMs?: number } = {},
  ): Promise<readonly Digest[]> {
    const newestMs = Date.now() - (options.minAgeMs ?? 0);
    const stored = await this.ls();
    const removed = stored
      .filter(({ digest, storedAtMs }) => !keep.has(digest) && storedAtMs <= newestMs)
      .map(({ digest }) => digest);
    for (const digest of removed)
      await this.rm(digest).catch((error: unknown) => {
        // Somebody else removed it in the meantime, which is what was wanted.
        if (codeOf(error) !== 'MESH_ERR_REPO_UNKNOWN') throw error;
      });
    return removed;
  }

  #pathOf(digest: Digest): string {
    if (!isDigest(digest)) throw unknown(digest, this.#dir);
    return join(this.#dir, `${digest}${SUFFIX}`);
  }

  async #check(digest: Digest, path: string, identity: string): Promise<void> {
    const found = await this.#pool.hashFile(path);
    if (found.digest !== digest)
      throw sporeError(
        'MESH_ERR_REPO_CORRUPT',
        `Looking up ${digest} in ${this.#dir}: the stored file has SHA-256 ${found.digest}.`,
      );
    this.#checked.set(digest, identity);
  }

  #questions(path: string) {
    const { policy = {} } = this.#options;
    return {
      path,
      isStrict: true,
      // Storing is not running: whether security requests are met is for the node that runs it.
      policy: { lsmProfiles: 'any' as const, readOnlyFs: true, ...policy },
      ...sizeLimits(policy),
    };
  }

  /** A key that is trusted for some app may publish: which app it will be is not known yet. */
  async #trusted(): Promise<{ readonly trusted?: readonly TrustEntry[] }> {
    const entries = await this.#options.trust?.list();
    return entries
      ? { trusted: entries.map(({ id, publicKey, name }) => ({ id, publicKey, name })) }
      : {};
  }
}

/** A map that forgets its oldest entries. */
class Remembered<Value> {
  readonly #values = new Map<Digest, Value>();

  get(digest: Digest): Value | undefined {
    return this.#values.get(digest);
  }

  set(digest: Digest, value: Value | undefined): void {
    this.#values.delete(digest);
    if (value === undefined) return;
    const oldest = this.#values.keys().next();
    if (this.#values.size >= REMEMBERED_MAX && !oldest.done) this.#values.delete(oldest.value);
    this.#values.set(digest, value);
  }

  delete(digest: Digest): void {
    this.#values.delete(digest);
  }
}

function digestOf(fileName: string): Digest | undefined {
  if (!fileName.endsWith(SUFFIX)) return undefined;
  const stem = fileName.slice(0, -SUFFIX.length);
  return isDigest(stem) ? stem : undefined;
}

async function statOf(path: string) {
  try {
    return await stat(path, { bigint: true });
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

/** Changes whenever the file is written to or replaced; `undefined` if there is none. */
async function identityOf(path: string): Promise<string | undefined> {
  const found = await statOf(path);
  return found && `${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
}

const unknown = (digest: string, dir: string): CodedError =>
  sporeError('MESH_ERR_REPO_UNKNOWN', `Looking up "${digest.slice(0, 80)}" in ${dir}: not there.`);

const DENIED = new Set(['EACCES', 'EPERM', 'EROFS']);

async function guarded<Result>(attempted: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (cause) {
    const isCoded = cause instanceof CodedError;
    if (isCoded && cause.code !== 'MESH_ERR_SPORE_WRITE') throw cause;
    const errno = isCoded ? cause.details?.['errno'] : codeOf(cause);
    const code = DENIED.has(String(errno)) ? 'MESH_ERR_REPO_DENIED' : 'MESH_ERR_REPO_IO';
    throw isCoded
      ? sporeError(code, `${attempted} failed.`, { cause })
      : writeFailure(attempted, cause, code);
  }
}
