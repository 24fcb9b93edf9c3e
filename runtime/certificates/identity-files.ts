/**
 * A mesh certificate on disk, in a private folder (0700) of files that only this user may read (0600).
 * Each is replaced as a whole, and the key never while its certificate stays: whoever reads them at
 * any moment finds a key and a certificate that belong together.
 *
 *     cert.pem      the leaf, then the intermediate
 *     key.pem       its P-384 key, PKCS #8, made for this instance alone
 *     ca.pem        the root of the mesh, then the authority of the manifest in force
 *     secret        the workload secret, 32 bytes; there where the policy names one
 */
import { X509Certificate, createPrivateKey, generateKeyPair } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { certificateError } from '../../machines/workload/certificate-errors.ts';
import type { HeldCertificate } from '../../machines/workload/certificate-rules.ts';
import { verifyLeaf } from '../x509/certificate-profile.ts';

/** What is in the folder, as PEM. */
export interface IdentityPem {
  readonly key: string;
  readonly certificates: string;
  readonly authorities: string;
}

/** An answer of the Coordinator; certificates are DER. */
export interface IssuedIdentity {
  readonly chain: readonly Uint8Array[];
  readonly root: Uint8Array;
  readonly meshAuthority: Uint8Array;
  readonly secret: Uint8Array | undefined;
}

export const FILES = {
  certificate: 'cert.pem',
  key: 'key.pem',
  authorities: 'ca.pem',
  secret: 'secret',
};

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const makeKeyPair = promisify(generateKeyPair);

const dersOf = (pem: string): readonly Uint8Array[] =>
  (pem.match(PEM_CERTIFICATE) ?? []).map((one) => new X509Certificate(one).raw);
const pemOf = (ders: readonly Uint8Array[]): string =>
  ders.map((der) => new X509Certificate(der).toString()).join('');

/** The text of a file; `undefined` where there is none, or where others may read it. */
async function privateText(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    return (mode & 0o077) === 0 ? await readFile(path, 'latin1') : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What is there; `undefined` where a part is missing. */
export async function readPem(folder: string): Promise<IdentityPem | undefined> {
  const [key, certificates, authorities] = await Promise.all(
    [FILES.key, FILES.certificate, FILES.authorities].map((name) =>
      privateText(join(folder, name)),
    ),
  );
  if (key === undefined || certificates === undefined || authorities === undefined)
    return undefined;
  return { key, certificates, authorities };
}

/** What a folder holds, verified at that time; null where it is not whole, not sound or too old. */
export async function readIdentity(
  folder: string,
  nowMs: number,
): Promise<{ readonly held: HeldCertificate; readonly pem: IdentityPem } | null> {
  const pem = await readPem(folder);
  if (pem === undefined) return null;
  try {
    const chain = dersOf(pem.certificates);
    const [leaf = Buffer.of()] = chain;
    const [root = Buffer.of()] = dersOf(pem.authorities);
    const verified = verifyLeaf(chain, { certificate: root, kind: 'root' }, nowMs);
    const certificate = new X509Certificate(leaf);
    if (!certificate.checkPrivateKey(createPrivateKey(pem.key))) return null;
    // The beginning of its validity lies before its issue, for clocks that differ.
    const { mtimeMs } = await stat(join(folder, FILES.certificate));
    const issuedAtMs = Math.min(nowMs, Math.max(mtimeMs, certificate.validFromDate.getTime()));
    const { spiffeId, serialNumber, notAfterMs } = verified;
    const held = { spiffeId, serialNumber, notAfterMs, issuedAtMs: Math.floor(issuedAtMs) };
    return { held, pem };
  } catch {
    // What does not verify, or not any more, is replaced; there is nothing else to do about it.
    return null;
  }
}

/** The key in the folder, or a new one that is not in the folder yet. */
export async function keyIn(folder: string): Promise<{ key: KeyObject; isNew: boolean }> {
  const pem = await privateText(join(folder, FILES.key));
  if (pem !== undefined)
    try {
      return { key: createPrivateKey(pem), isNew: false };
    } catch {
      // A file that is no key is replaced by one.
    }
  const { privateKey } = await makeKeyPair('ec', { namedCurve: 'P-384' });
  return { key: privateKey, isNew: true };
}

/** Verifies an answer for this key. MESH_ERR_CERTIFICATE_UNSOUND. */
export function checkIssued(
  issued: IssuedIdentity,
  key: KeyObject,
  nowMs: number,
): HeldCertificate {
  const { chain, root, meshAuthority } = issued;
  try {
    const leaf = verifyLeaf(chain, { certificate: root, kind: 'root' }, nowMs);
    verifyLeaf(chain.slice(0, 1), { certificate: meshAuthority, kind: 'mesh' }, nowMs);
    if (!new X509Certificate(chain[0] ?? Buffer.of()).checkPrivateKey(key))
      throw new TypeError('it is for another key');
    const { spiffeId, serialNumber, notAfterMs } = leaf;
    return { spiffeId, serialNumber, notAfterMs, issuedAtMs: nowMs };
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw certificateError(
      'MESH_ERR_CERTIFICATE_UNSOUND',
      `Verifying an issued certificate: ${found}`,
      { cause },
    );
  }
}

/**
 * Puts an answer in place: the key first, the certificate last, as it is what readers look at.
 * MESH_ERR_CERTIFICATE_IO; the signal's reason, when nothing was written yet.
 */
export async function writeIdentity(
  folder: string,
  issued: IssuedIdentity,
  { key, isNew }: { readonly key: KeyObject; readonly isNew: boolean },
  signal: AbortSignal,
): Promise<IdentityPem> {
  const pem: IdentityPem = {
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificates: pemOf(issued.chain),
    authorities: pemOf([issued.root, issued.meshAuthority]),
  };
  signal.throwIfAborted();
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    if (isNew) await replace(join(folder, FILES.key), pem.key);
    if (issued.secret !== undefined) await replace(join(folder, FILES.secret), issued.secret);
    await replace(join(folder, FILES.authorities), pem.authorities);
    await replace(join(folder, FILES.certificate), pem.certificates);
    return pem;
  } catch (cause) {
    throw certificateError('MESH_ERR_CERTIFICATE_IO', `Writing a certificate to ${folder}.`, {
      cause,
    });
  }
}

/** A reader sees the old file or the new one. Durability is not needed: it can be asked for again. */
async function replace(path: string, content: string | Uint8Array): Promise<void> {
  const temp = `${path}.new`;
  await rm(temp, { force: true });
  const file = await open(temp, 'wx', 0o600);
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
  await rename(temp, path);
}

/** Which file each variable names; the secret only where there is one. */
export function environmentOf(folder: string): Readonly<Record<string, string>> {
  const isThere = (name: string): boolean => existsSync(join(folder, name));
  if (!isThere(FILES.certificate)) return {};
  return {
    MESH_CERT_FILE: join(folder, FILES.certificate),
    MESH_KEY_FILE: join(folder, FILES.key),
    MESH_CA_FILE: join(folder, FILES.authorities),
    ...(isThere(FILES.secret) && { MESH_WORKLOAD_SECRET_FILE: join(folder, FILES.secret) }),
  };
}
