import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { SPORE_ERRORS } from '../../../machines/workload/spore-errors.ts';
import { canonicalJson } from '../../../runtime/spore/canonical-json.ts';
import { scratch } from '../../support/scratch.ts';
import {
  BINARY,
  SOURCE,
  codesOf,
  draftOf,
  examine,
  keyOf,
  manifestFor,
  trusting,
  zipOf,
} from '../../support/spore-kit.ts';
import type { Questions } from '../../support/spore-kit.ts';

const key = keyOf(1);
const manifest = manifestFor(BINARY, key);
const trusted = [trusting(key)];
const ALL_OK = { format: 'ok', digest: 'ok', signature: 'ok', trust: 'ok', policy: 'ok' };
const OTHER_DIGEST = 'a'.repeat(64) as Digest;

async function check(given: unknown, questions: Questions = { trusted }, binary = BINARY) {
  using folder = scratch();
  return codesOf(await examine(folder.file('a'), zipOf(draftOf(given, binary)), questions));
}

describe('readSpore', () => {
  it('reports all five checks in their order', async () => {
    using folder = scratch();
    const report = await examine(folder.file('a'), zipOf(draftOf(manifest)), { trusted });
    expect(report).toMatchObject({ ok: true, manifest });
    expect(report.checks.map(({ name }) => name)).toEqual(Object.keys(ALL_OK));
  });

  it.each<[string, unknown, Questions, object]>([
    ['nothing wrong', manifest, { trusted }, {}],
    ['its digest', manifest, { trusted, expectedDigest: OTHER_DIGEST }, { digest: 'DIGEST' }],
    ['a key that nobody trusts', manifest, { trusted: [] }, { trust: 'UNTRUSTED' }],
    ['a key of another app', manifest, { trusted: [trusting(key, 'x')] }, { trust: 'UNTRUSTED' }],
    ['the app it runs as', manifest, { trusted: [trusting(key, 'x')], app: 'x' }, {}],
    [
      'a key trusted for its name, run as another app',
      manifest,
      { trusted: [trusting(key, 'hello')], app: 'billing' },
      { trust: 'UNTRUSTED' },
    ],
    [
      "another key's signature",
      {
        ...manifest,
        integrity: {
          ...manifest.integrity,
          signature: manifestFor(BINARY, keyOf(2)).integrity.signature,
        },
      },
      { trusted },
      { signature: 'SIGNATURE' },
    ],
    ['a changed field', { ...manifest, version: '6.6.6' }, { trusted }, { signature: 'SIGNATURE' }],
    [
      'its key swapped for a trusted one',
      {
        ...manifestFor(BINARY, keyOf(2)),
        integrity: {
          ...manifestFor(BINARY, keyOf(2)).integrity,
          public_key: manifest.integrity.public_key,
        },
      },
      { trusted },
      { signature: 'SIGNATURE' },
    ],
    [
      'a request that is not enforced',
      manifestFor(BINARY, key, { ...SOURCE, security: { read_only_fs: true } }),
      { trusted },
      { policy: 'POLICY' },
    ],
  ])('judges %s', async (_, given, questions, failures) => {
    const codes = Object.entries(failures).map(([name, reason]) => [
      name,
      `MESH_ERR_SPORE_${reason}`,
    ]);
    expect(await check(given, questions)).toEqual({ ...ALL_OK, ...Object.fromEntries(codes) });
  });

  it('refuses another binary of the same size under a signed manifest', async () => {
    const other = Buffer.from(BINARY).fill('x', 0, 1);
    expect(await check(manifest, { trusted }, other)).toEqual({
      ...ALL_OK,
      digest: 'MESH_ERR_SPORE_DIGEST',
    });
  });

  it('refuses a binary of another size without inflating it', async () => {
    const longer = Buffer.concat([BINARY, Buffer.of(0)]);
    const codes = await check(manifest, { trusted }, longer);
    expect(codes).toEqual({ ...ALL_OK, digest: 'MESH_ERR_SPORE_DIGEST' });
  });

  it.each([
    ['JSON with a duplicate key', canonicalJson(manifest).replace('{', '{"name":"hello",')],
    ['JSON with a fraction', canonicalJson(manifest).replace('6000', '6000.0')],
    ['JSON with a byte order mark', `\u{feff}${canonicalJson(manifest)}`],
    ['no JSON', 'kind: Spore'],
  ])('refuses %s', async (_, text) => {
    expect(await check(text)).toMatchObject({ format: 'MESH_ERR_SPORE_JSON' });
  });

  it.each([
    ['a field that it does not know', { ...manifest, extra: 1 }],
    ['a manifest without integrity', { ...manifest, integrity: undefined }],
    ['an array', []],
  ])('refuses %s', async (_, given) => {
    expect(await check(given)).toMatchObject({
      format: 'MESH_ERR_SPORE_MANIFEST',
      signature: 'MESH_ERR_SPORE_UNCHECKED',
    });
  });

  it('accepts a manifest in any spelling, since the signature covers its canonical form', async () => {
    expect(await check(JSON.stringify(manifest, undefined, 2))).toEqual(ALL_OK);
  });

  it('refuses a small-order key that would verify anything', async () => {
    const integrity = {
      ...manifest.integrity,
      public_key: Buffer.from(`01${'00'.repeat(31)}`, 'hex').toString('base64'),
      signature: Buffer.from(`01${'00'.repeat(63)}`, 'hex').toString('base64'),
    };
    const codes = await check({ ...manifest, integrity });
    expect(codes).toMatchObject({
      signature: 'MESH_ERR_SPORE_SIGNATURE',
      trust: 'MESH_ERR_SPORE_UNTRUSTED',
    });
  });

  it('accepts no spore with any one byte or one of its bits flipped', async () => {
    using folder = scratch();
    const whole = zipOf(draftOf(manifest));
    const { digest } = await examine(folder.file('a'), whole, { trusted });
    for (let at = 0; at < whole.length; at++)
      for (const mask of [0xff, 1 << (at % 8)]) {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        const questions = { trusted, expectedDigest: digest };
        const report = await examine(folder.file('a'), bytes, questions);
        expect(report.ok, `byte ${at} ^ ${mask}`).toBe(false);
        const codes = report.checks.filter(({ ok }) => !ok).map(({ code }) => code);
        for (const code of codes) expect(Object.keys(SPORE_ERRORS)).toContain(code);
      }
  });
});
