/** The five checks of one spore, in a worker: see `verify.ts` for the side that asks. */
import type { SporeCheck, SporeReport } from '../../actors/workload/ports/spore.ts';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import { parseSporeManifest } from '../../machines/workload/manifest.schema.ts';
import type { SporeManifest } from '../../machines/workload/manifest.schema.ts';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import {
  SPORE_CHECKS,
  isTrustedBy,
  policyObjections,
} from '../../machines/workload/spore-rules.ts';
import type {
  SporeCheckName,
  SporePolicy,
  TrustEntry,
} from '../../machines/workload/spore-rules.ts';
import { parseStrictJsonBytes } from '../../machines/workload/strict-json.ts';
import { verifyEd25519 } from '../workers/ed25519.ts';
import type { Container } from './container.ts';
import { inflateBinary } from './inflate-binary.ts';
import { signedBytes } from './signing.ts';
import type { SporeFile } from './spore-file.ts';

/** What is asked about a spore; plain data, for a worker. */
export interface SporeQuestions {
  readonly expectedDigest?: Digest;
  /** Whom to trust; absent: the trust check passes (a repo keeps what others may judge). */
  readonly trusted?: readonly TrustEntry[];
  /** The app that it is to run as; absent: the manifest's name. */
  readonly app?: string;
  readonly policy: SporePolicy;
  /** Inflate only if signature, trust and policy allow it. */
  readonly isStrict: boolean;
}

type Verdicts = Map<SporeCheckName, CodedError | undefined>;

/**
 * Makes all five checks and reports them; throws only what is no verdict on the spore: I/O. With
 * `fd` the binary is written there; it is whole and verified only if the report is `ok`.
 */
export async function readSpore(
  file: SporeFile,
  questions: SporeQuestions,
  fd?: number,
): Promise<SporeReport> {
  const verdicts: Verdicts = new Map();
  const opened = attempt(() => {
    const container = file.open();
    return { container, manifest: parseSporeManifest(parseStrictJsonBytes(container.manifest)) };
  });
  let manifest: SporeManifest | undefined;
  if (opened instanceof CodedError) verdicts.set('format', opened);
  else {
    ({ manifest } = opened);
    judgeManifest(manifest, questions, verdicts);
    await judgeBinary(file, opened.container, manifest, questions, verdicts, fd);
  }
  const digest = await file.digest();
  judgeDigest(digest, questions, verdicts);
  const checks = SPORE_CHECKS.map((name) => checkOf(name, verdicts));
  const ok = checks.every((check) => check.ok);
  return {
    ok,
    digest,
    bytes: file.bytes,
    ...(manifest && !verdicts.get('format') ? { manifest } : {}),
    checks,
  };
}

function judgeManifest(
  manifest: SporeManifest,
  { trusted, app, policy }: SporeQuestions,
  verdicts: Verdicts,
): void {
  const publicKey = Buffer.from(manifest.integrity.public_key, 'base64');
  const signature = Buffer.from(manifest.integrity.signature, 'base64');
  const title = `spore ${manifest.name} ${manifest.version}`;
  const asApp = app ?? manifest.name;
  const isTrusted = trusted === undefined || isTrustedBy(trusted, publicKey.toString('hex'), asApp);
  const objections = policyObjections(manifest, policy);
  verdicts.set(
    'signature',
    verifyEd25519(publicKey, signedBytes(manifest), signature)
      ? undefined
      : sporeError('MESH_ERR_SPORE_SIGNATURE', `Verifying ${title}: its signature is not valid.`),
  );
  verdicts.set(
    'trust',
    isTrusted
      ? undefined
      : sporeError(
          'MESH_ERR_SPORE_UNTRUSTED',
          `Verifying ${title}: its key ${publicKey.toString('hex')} is not trusted for ${asApp}.`,
        ),
  );
  verdicts.set(
    'policy',
    objections.length === 0
      ? undefined
      : sporeError('MESH_ERR_SPORE_POLICY', `Allowing ${title}: ${objections.join('; ')}.`, {
          details: { objections },
        }),
  );
}

/** Sets `format` and `digest`; leaves them out where strictness forbids to inflate. */
async function judgeBinary(
  file: SporeFile,
  container: Container,
  manifest: SporeManifest,
  questions: SporeQuestions,
  verdicts: Verdicts,
  fd: number | undefined,
): Promise<void> {
  const { binary_sha256: sha256, binary_size: bytes } = manifest.integrity;
  const declared = container.facts.binaryBytes;
  if (bytes !== declared) {
    verdicts.set('format', undefined);
    verdicts.set('digest', digestError(`the binary has ${declared} bytes, ${bytes} are signed`));
    return;
  }
  const hasObjection = [...verdicts.values()].some((verdict) => verdict !== undefined);
  if (questions.isStrict && hasObjection) return;
  try {
    const found = await inflateBinary(file, container, fd);
    verdicts.set('format', undefined);
    verdicts.set(
      'digest',
      found.sha256 === sha256
        ? undefined
        : digestError(`the binary has SHA-256 ${found.sha256}, ${sha256} is signed`),
    );
  } catch (error) {
    if (!(error instanceof CodedError) || error.code === 'MESH_ERR_SPORE_UNREADABLE') throw error;
    verdicts.set('format', error);
  }
}

function judgeDigest(found: Digest, { expectedDigest }: SporeQuestions, verdicts: Verdicts): void {
  if (expectedDigest === undefined || found === expectedDigest) return;
  verdicts.set('digest', digestError(`the spore has SHA-256 ${found}, ${expectedDigest} is due`));
}

function checkOf(name: SporeCheckName, verdicts: Verdicts): SporeCheck {
  const error = verdicts.has(name)
    ? verdicts.get(name)
    : sporeError('MESH_ERR_SPORE_UNCHECKED', `The ${name} check was not reached.`);
  return error ? { name, ok: false, code: error.code, message: error.message } : { name, ok: true };
}

const digestError = (what: string): CodedError =>
  sporeError('MESH_ERR_SPORE_DIGEST', `Verifying a spore: ${what}.`);

/** The value, or the coded error that was thrown; what is no verdict is thrown on. */
function attempt<Value>(make: () => Value): Value | CodedError {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof CodedError) || error.code === 'MESH_ERR_SPORE_UNREADABLE') throw error;
    return error;
  }
}
