import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkerPool, WorkerTask } from '../../actors/pool/ports.ts';
import type { SporeReport, TrustStore } from '../../actors/workload/ports/spore.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import type { SporeManifest } from '../../machines/workload/manifest.schema.ts';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import type { SporeErrorCode } from '../../machines/workload/spore-errors.ts';
import type { SporePolicy } from '../../machines/workload/spore-rules.ts';
import { PARTIAL_NAME } from '../workers/spore-verify.worker.ts';
import type { VerifyPayload, VerifyResult } from '../workers/spore-verify.worker.ts';
import { workerModule } from '../workers/worker-module.ts';

const MODULE = workerModule('../workers/spore-verify', import.meta.url);

/** Verifies a spore and writes nothing. */
export const verifyTask: WorkerTask<VerifyPayload, VerifyResult> = {
  name: 'spore-verify',
  module: MODULE,
  idempotent: true,
};

/** Verifies a spore, and extracts or copies what it verifies to files that must not exist yet. */
export const takeTask: WorkerTask<VerifyPayload, VerifyResult> = {
  name: 'spore-take',
  module: MODULE,
  idempotent: false,
};

/** Default of the largest binary that is read; the format itself allows 4 GiB - 2. */
export const BINARY_BYTES_MAX_DEFAULT = 1024 ** 3;

export interface VerifyOptions {
  readonly trust: TrustStore;
  /** The app that the spore is to run as; default the name in its manifest. */
  readonly app?: string;
  readonly policy?: SporePolicy;
  /** The digest that the file must have; default any. */
  readonly expectedDigest?: Digest;
  /** Bytes of the file read so far. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface ExtractOptions extends VerifyOptions {
  readonly expectedDigest: Digest;
  /** Made with mode 0700; if it exists it must be this user's, private, and without a binary. */
  readonly destDir: string;
}

export interface ExtractedSpore {
  /** `destDir`/binary, mode 0500. */
  readonly binaryPath: string;
  readonly manifest: SporeManifest;
}

/**
 * Makes the five checks and reports them; a bad spore is a report, not an error. Rejects with
 * MESH_ERR_SPORE_UNREADABLE, MESH_ERR_SPORE_TOO_LARGE, an error of the trust store or of the pool.
 */
export async function verifySpore(
  pool: WorkerPool,
  path: string,
  options: VerifyOptions,
): Promise<SporeReport> {
  const questions = await questionsOf(path, options);
  return pool.run(verifyTask, { ...questions, isStrict: false }, taskOptions(options));
}

/**
 * Verifies a spore and extracts the very bytes that were verified. Nothing is inflated unless
 * signature, trust and policy allow it, and nothing stays behind unless all is well. Rejects with the
 * code of the first failed check, MESH_ERR_SPORE_WRITE or MESH_ERR_SPORE_NO_SPACE, or as
 * `verifySpore` does.
 */
export async function extractSpore(
  pool: WorkerPool,
  path: string,
  options: ExtractOptions,
): Promise<ExtractedSpore> {
  const questions = await questionsOf(path, options);
  const payload = { ...questions, isStrict: true, extractTo: options.destDir };
  const result = await pool.run(takeTask, payload, taskOptions(options)).catch(async (error) => {
    // A worker that was ended under the task could not tidy up.
    await rm(join(options.destDir, PARTIAL_NAME), { force: true });
    throw error;
  });
  throwFailedCheck(path, result);
  const { binaryPath, manifest } = result;
  if (binaryPath === undefined || manifest === undefined)
    throw sporeError('MESH_ERR_SPORE_UNCHECKED', `Extracting ${path}: nothing came of it.`);
  return { binaryPath, manifest };
}

/** Throws the failed check of a report that says most; UNCHECKED ones are only consequences. */
export function throwFailedCheck(path: string, report: SporeReport): void {
  const failed = report.checks.filter((check) => !check.ok);
  const first = failed.find((check) => check.code !== 'MESH_ERR_SPORE_UNCHECKED') ?? failed[0];
  if (!first) return;
  const code = (first.code ?? 'MESH_ERR_SPORE_UNCHECKED') as SporeErrorCode;
  throw sporeError(code, `${path}: ${first.message ?? first.name}`, {
    details: { check: first.name, digest: report.digest },
  });
}

async function questionsOf(
  path: string,
  options: VerifyOptions,
): Promise<Omit<VerifyPayload, 'isStrict'>> {
  const { app, policy = {}, expectedDigest } = options;
  const trusted = await options.trust.list();
  return {
    path,
    trusted,
    policy,
    ...sizeLimits(policy),
    ...(app === undefined ? {} : { app }),
    ...(expectedDigest === undefined ? {} : { expectedDigest }),
  };
}

/** A policy may lower the limit, and raise it up to what the format allows. */
export function sizeLimits(policy: SporePolicy): { sporeBytesMax: number; binaryBytesMax: number } {
  const binaryBytesMax = policy.binaryBytesMax ?? BINARY_BYTES_MAX_DEFAULT;
  return { binaryBytesMax, sporeBytesMax: binaryBytesMax + binaryBytesMax / 1024 + 1024 * 1024 };
}

const taskOptions = ({ onProgress, signal }: VerifyOptions) => ({
  ...(onProgress ? { onProgress } : {}),
  ...(signal ? { signal } : {}),
});
