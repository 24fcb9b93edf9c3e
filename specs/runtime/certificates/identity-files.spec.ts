import { createPublicKey } from 'node:crypto';
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  checkIssued,
  environmentOf,
  keyIn,
  readIdentity,
  writeIdentity,
} from '../../../runtime/certificates/identity-files.ts';
import { createMeshAuthority, newKey } from '../../support/certificates/authority.ts';
import { scratch } from '../../support/scratch.ts';

const HOUR_MS = 3_600_000;
const mesh = createMeshAuthority({ leafLifetimeMs: HOUR_MS });
const going = new AbortController().signal;
const mode = (path: string): number => statSync(path).mode & 0o777;

/** A folder with a certificate in it. */
async function written(secret?: Uint8Array) {
  const root = scratch();
  const folder = root.file('identity');
  const identity = mesh.issue('workload/hello');
  const issued = { ...identity.issued, secret };
  const pem = await writeIdentity(folder, issued, { key: identity.key, isNew: true }, going);
  const file = (name: string): string => `${folder}/${name}`;
  return { ...identity, folder, file, pem, [Symbol.dispose]: () => root[Symbol.dispose]() };
}

describe('writeIdentity', () => {
  it('makes a private folder of private files, and leaves nothing else in it', async () => {
    using at = await written(Buffer.alloc(32, 7));
    expect(mode(at.folder)).toBe(0o700);
    const names = readdirSync(at.folder).toSorted();
    expect(names).toEqual(['ca.pem', 'cert.pem', 'key.pem', 'secret']);
    for (const name of names) expect(mode(at.file(name))).toBe(0o600);
    expect(readFileSync(at.file('secret'))).toEqual(Buffer.alloc(32, 7));
  });

  it('renews in place, for the same key', async () => {
    using at = await written();
    const before = readFileSync(at.file('key.pem'), 'utf8');
    const own = await keyIn(at.folder);
    expect(own.isNew).toBe(false);
    const { issued } = mesh.issue('workload/hello', own.key);
    await writeIdentity(at.folder, issued, own, going);
    expect(readFileSync(at.file('key.pem'), 'utf8')).toBe(before);
    expect(readFileSync(at.file('cert.pem'), 'utf8')).not.toBe(at.pem.certificates);
    const found = await readIdentity(at.folder, Date.now());
    expect(found?.held.serialNumber).toMatch(/^[0-9a-f]{32}$/);
  });

  it('shows whoever reads at any moment a certificate that fits its key', async () => {
    using at = await written();
    const own = await keyIn(at.folder);
    const serials = new Set<string | undefined>();
    let reads = 0;
    let isOver = false;
    const reading = (async () => {
      for (; !isOver; reads++)
        serials.add((await readIdentity(at.folder, Date.now()))?.held.serialNumber);
    })();
    for (let times = 0; times < 30; times++)
      await writeIdentity(at.folder, mesh.issue('workload/hello', own.key).issued, own, going);
    isOver = true;
    await reading;
    expect(serials.has(undefined)).toBe(false);
    expect(Math.min(reads, serials.size)).toBeGreaterThan(5);
  });

  it('writes nothing once it is given up', async () => {
    using root = scratch();
    const { issued, key } = mesh.issue('workload/hello');
    const folder = root.file('identity');
    const given = AbortSignal.abort(new Error('Given up.'));
    await expect(writeIdentity(folder, issued, { key, isNew: true }, given)).rejects.toThrow('up.');
    expect(readdirSync(root.path)).toEqual([]);
  });

  it('says when it cannot write', async () => {
    using root = scratch();
    const { issued, key } = mesh.issue('workload/hello');
    writeFileSync(root.file('identity'), 'a file');
    const own = { key, isNew: true };
    await expect(writeIdentity(root.file('identity'), issued, own, going)).rejects.toMatchObject({
      code: 'MESH_ERR_CERTIFICATE_IO',
      retryable: true,
    });
  });
});

describe('readIdentity', () => {
  it('gives what is there, and from when it counts', async () => {
    using at = await written();
    const { held } = (await readIdentity(at.folder, Date.now())) ?? {};
    expect(held).toMatchObject({ spiffeId: at.spiffeId });
    expect(Math.abs((held?.issuedAtMs ?? 0) - Date.now())).toBeLessThan(30_000);
    expect((held?.notAfterMs ?? 0) - (held?.issuedAtMs ?? 0)).toBeGreaterThan(HOUR_MS - 30_000);
  });

  it.each<[string, (at: Awaited<ReturnType<typeof written>>) => void]>([
    ['no key', (at) => writeFileSync(at.file('key.pem'), 'no key')],
    ['the key of another', (at) => writeFileSync(at.file('key.pem'), mesh.issue('edge/e').pem.key)],
    ['a key that others may read', (at) => chmodSync(at.file('key.pem'), 0o640)],
    [
      'half a certificate',
      (at) => writeFileSync(at.file('cert.pem'), at.pem.certificates.slice(9)),
    ],
    [
      'the authorities of another mesh',
      (at) =>
        writeFileSync(at.file('ca.pem'), createMeshAuthority().issue('edge/e').pem.authorities),
    ],
  ])('takes %s for nothing', async (_, spoil) => {
    using at = await written();
    expect(await readIdentity(at.folder, Date.now())).not.toBeNull();
    spoil(at);
    expect(await readIdentity(at.folder, Date.now())).toBeNull();
  });

  it('takes what has expired for nothing', async () => {
    using at = await written();
    expect(await readIdentity(at.folder, Date.now() + 2 * HOUR_MS)).toBeNull();
  });

  it('finds nothing in an empty place', async () => {
    using root = scratch();
    expect(await readIdentity(root.file('none'), Date.now())).toBeNull();
    expect(environmentOf(root.file('none'))).toEqual({});
  });
});

describe('keyIn', () => {
  it('replaces a key that others could read, and a file that is none', async () => {
    using at = await written();
    const spki = createPublicKey(at.key).export({ type: 'spki', format: 'der' });
    chmodSync(at.file('key.pem'), 0o644);
    const { key, isNew } = await keyIn(at.folder);
    expect(isNew).toBe(true);
    expect(createPublicKey(key).export({ type: 'spki', format: 'der' })).not.toEqual(spki);
    writeFileSync(at.file('key.pem'), 'no key');
    chmodSync(at.file('key.pem'), 0o600);
    expect(await keyIn(at.folder)).toMatchObject({ isNew: true });
  });
});

describe('checkIssued', () => {
  const unsound = expect.objectContaining({ code: 'MESH_ERR_CERTIFICATE_UNSOUND' });

  it('believes what leads to its root and to the authority of its manifest', () => {
    const { issued, key, spiffeId } = mesh.issue('workload/hello');
    expect(checkIssued(issued, key, Date.now())).toMatchObject({ spiffeId });
  });

  it('refuses an answer for another key, of another mesh, or out of its time', () => {
    const { issued, key } = mesh.issue('workload/hello');
    const other = createMeshAuthority().issue('workload/hello', key).issued;
    expect(() => checkIssued(issued, newKey(), Date.now())).toThrow(unsound);
    expect(() => checkIssued({ ...issued, root: other.root }, key, Date.now())).toThrow(unsound);
    expect(() =>
      checkIssued({ ...issued, meshAuthority: other.meshAuthority }, key, Date.now()),
    ).toThrow(unsound);
    expect(() => checkIssued({ ...issued, chain: [] }, key, Date.now())).toThrow(unsound);
    expect(() => checkIssued(issued, key, Date.now() + 2 * HOUR_MS)).toThrow(unsound);
  });
});

describe('environmentOf', () => {
  it('names the files, and the secret only where there is one', async () => {
    using bare = await written();
    expect(environmentOf(bare.folder)).toEqual({
      MESH_CERT_FILE: bare.file('cert.pem'),
      MESH_KEY_FILE: bare.file('key.pem'),
      MESH_CA_FILE: bare.file('ca.pem'),
    });
    using secret = await written(Buffer.alloc(32));
    expect(environmentOf(secret.folder)).toHaveProperty('MESH_WORKLOAD_SECRET_FILE');
  });
});
