/** The checks of `mesh coordinator verify`, each by itself, on what a Coordinator answered. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { encodeTransition } from '../../../machines/coordinator/transition.ts';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import type { GetManifestsResponse } from '../../rpc/generated/user-api.ts';
import { readCertificate } from '../../x509/certificate-profile.ts';

/** One named check, and why it failed. */
export interface MeshCheck {
  readonly name: 'evidence' | 'history' | 'manifest' | 'authority' | 'root';
  readonly ok: boolean;
  readonly message?: string;
  readonly code?: string;
}

const sha256 = (bytes: Uint8Array): Digest =>
  createHash('sha256').update(bytes).digest('hex') as Digest;

/** Runs one check; what it throws is its finding. */
export async function checked(name: MeshCheck['name'], check: () => unknown): Promise<MeshCheck> {
  try {
    await check();
    return { name, ok: true };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = codeOf(error);
    return { name, ok: false, message, ...(code !== undefined && { code }) };
  }
}

/**
 * Each transition is the hash of its manifest and of the one before. Of a history that is longer than
 * what was answered, the first answered one cannot be checked.
 */
export function checkHistory({ manifests, transitionHashes }: GetManifestsResponse): void {
  if (manifests.length === 0 || manifests.length !== transitionHashes.length)
    throw new Error('The history has not as many manifests as transitions.');
  const ids = transitionHashes.map((hash) => Buffer.from(hash).toString('hex') as Digest);
  for (const [index, manifest] of manifests.entries()) {
    const previous = ids[index - 1] ?? null;
    const expected = sha256(encodeTransition({ manifest: sha256(manifest), previous }));
    const isCutOff = index === 0 && manifests.length >= MANIFESTS_ANSWERED_MAX;
    if (expected !== ids[index] && !isCutOff)
      throw new Error(`Transition ${String(ids[index])} is not of its manifest and predecessor.`);
  }
}

/** As many as one answer has. */
const MANIFESTS_ANSWERED_MAX = 256;

/** The manifest in force is, byte by byte, the one that is expected. */
export function checkManifest({ manifests }: GetManifestsResponse, expected: Uint8Array): void {
  const found = manifests.at(-1) ?? new Uint8Array();
  if (Buffer.compare(found, expected) === 0) return;
  const at = manifests.findIndex((one) => Buffer.compare(one, expected) === 0);
  const place = at === -1 ? 'which was never set' : `which was set before it, as number ${at + 1}`;
  throw new Error(`The manifest in force is ${sha256(found)}, not ${sha256(expected)}, ${place}.`);
}

/** Both certificates are of the profile, and signed by their own keys. */
export function checkAuthority({ rootCaCert, meshCaCert }: GetManifestsResponse): void {
  for (const [der, kind] of [
    [rootCaCert, 'root'],
    [meshCaCert, 'mesh'],
  ] as const) {
    const certificate = readCertificate(der, kind);
    if (!certificate.verify(certificate.publicKey) || !certificate.checkIssued(certificate))
      throw new Error(`The ${kind} certificate is not signed by its own key.`);
  }
}

const keyIn = (certificate: Buffer | Uint8Array): Buffer =>
  new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });

/** The root's key is the one that was written down at an earlier time; the first time any is. */
export function checkRoot({ rootCaCert }: GetManifestsResponse, knownPath: string): void {
  if (!existsSync(knownPath)) return;
  if (keyIn(readFileSync(knownPath)).equals(keyIn(rootCaCert))) return;
  throw new Error(`The root has another key than the one in ${knownPath}.`);
}
