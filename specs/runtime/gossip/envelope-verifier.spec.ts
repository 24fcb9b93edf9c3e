import { existsSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { expiresAt } from '../../../machines/gossip/envelope.ts';
import { createWorkerPool } from '../../../runtime/adapters/worker-pool.piscina.ts';
import { createEnvelopeVerifier } from '../../../runtime/gossip/envelope-verifier.ts';
import { metaCodec } from '../../../runtime/gossip/meta-codec.ts';
import { createSigner } from '../../../runtime/gossip/signer.ts';
import {
  MESH,
  NOW_MS,
  publicMessage,
  samplePeer,
  withHeader,
} from '../../support/gossip/letters.ts';

const VECTORS = new URL('../../../../shared/vectors/ed25519/zip215.json', import.meta.url);
const pool = createWorkerPool();
afterAll(() => pool.close());
const verifier = createEnvelopeVerifier({ meshId: MESH, pool });
const [ann, bob] = [samplePeer(1), samplePeer(2)];
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const [annKey, bobKey] = [hex(ann.publicKey), hex(bob.publicKey)];

describe('EnvelopeVerifier', () => {
  it('opens each item on its own, with the code of its fault', async () => {
    const good = publicMessage(ann);
    const id = good.header.message_id;
    const foreign = publicMessage(ann, 1, { meshId: 'office' });
    const early = publicMessage(ann, 2, { createdAtMs: NOW_MS + 10 * 60_000 });
    const old = publicMessage(ann, 3, { createdAtMs: NOW_MS - 60_000, ttlSeconds: 60 });
    const items = [
      good,
      7,
      { ...good, hops: 1 },
      withHeader(good, { version: 2 }),
      withHeader(good, { kind: 'rumour' }),
      withHeader(good, { seq: 1 }),
      { ...good, body: 'aGVsbG8=' },
      foreign,
      early,
      old,
      { ...good, body: 'A'.repeat(100_000) },
      good,
    ];
    const opened = await verifier.open(items, NOW_MS);
    expect(opened.map((one) => (one.ok ? one.envelope : one.code))).toEqual([
      good,
      'MESH_ERR_ENVELOPE_MALFORMED',
      'MESH_ERR_ENVELOPE_MALFORMED',
      'MESH_ERR_ENVELOPE_VERSION',
      'MESH_ERR_ENVELOPE_KIND',
      'MESH_ERR_ENVELOPE_ID',
      'MESH_ERR_ENVELOPE_BODY',
      'MESH_ERR_ENVELOPE_FOREIGN_MESH',
      'MESH_ERR_ENVELOPE_FUTURE',
      'MESH_ERR_ENVELOPE_EXPIRED',
      'MESH_ERR_ENVELOPE_TOO_LARGE',
      good,
    ]);
    expect(opened[5]).toMatchObject({ messageId: id });
    const [alive] = await verifier.open([old], expiresAt(old.header) - 1);
    expect(alive?.ok).toBe(true);
  });

  it('gives one verdict for each signature, in order, over many batches', async () => {
    const letters = Array.from({ length: 200 }, (_, seq) => publicMessage(ann, seq));
    const checks = letters.map((envelope, seq) =>
      seq % 7 === 0
        ? {
            envelope: { ...envelope, signature: publicMessage(bob, seq).signature },
            publicKey: annKey,
          }
        : { envelope, publicKey: seq % 5 === 0 ? bobKey : annKey },
    );
    const verdicts = await verifier.verify(checks);
    expect(verdicts).toEqual(letters.map((_, seq) => seq % 7 !== 0 && seq % 5 !== 0));
  });

  it('takes no key that is malformed or not the one of its sender', async () => {
    const envelope = publicMessage(ann);
    const keys = [annKey, annKey.toUpperCase(), annKey.slice(2), '', 'é', `${annKey}00`, bobKey];
    const verdicts = await verifier.verify(keys.map((publicKey) => ({ envelope, publicKey })));
    expect(verdicts).toEqual([true, false, false, false, false, false, false]);
    expect(verifier.peerIdOf(annKey)).toBe(ann.id);
    expect(keys.slice(1, 6).map((key) => verifier.peerIdOf(key))).toEqual(
      keys.slice(1, 6).map(() => undefined),
    );
  });

  it.skipIf(!existsSync(VECTORS))(
    'has no peer for a key of small order or another encoding',
    () => {
      const cases = JSON.parse(readFileSync(VECTORS, 'utf8')) as { vk_bytes: string }[];
      const peers = cases.map(({ vk_bytes: key }) => verifier.peerIdOf(key));
      expect(peers).toEqual(Array.from({ length: 196 }, () => undefined));
    },
  );

  it('gives up when its caller does', async () => {
    const envelope = publicMessage(ann);
    const asked = verifier.verify([{ envelope, publicKey: annKey }], AbortSignal.abort());
    expect(await asked.catch(codeOf)).toBe('MESH_ERR_POOL_CANCELLED');
  });
});

describe('createSigner', () => {
  it('signs what everybody can prove', async () => {
    const signer = createSigner(MESH, ann);
    const draft = {
      kind: 'public',
      recipientId: '*',
      createdAtMs: NOW_MS,
      seq: 4,
      ttlSeconds: 60,
    } as const;
    const envelope = signer.sign({ ...draft, body: Buffer.from('hello') });
    expect(await verifier.open([envelope], NOW_MS)).toEqual([{ ok: true, envelope }]);
    expect(await verifier.verify([{ envelope, publicKey: signer.publicKey }])).toEqual([true]);
    const sealed = signer.sign({
      ...draft,
      kind: 'direct',
      recipientId: bob.id,
      body: Buffer.of(),
    });
    expect(sealed.header).toMatchObject({ recipient_id: bob.id, sender_id: signer.peerId });
  });
});

describe('metaCodec', () => {
  const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
  const codeFrom = (act: () => unknown): unknown => {
    try {
      act();
    } catch (error) {
      return codeOf(error);
    }
    return 'nothing';
  };

  it('gives back what it wrote', () => {
    const message = { type: 'x', list: [1, null, true, 'ü'], envelope: publicMessage(ann) };
    const bytes = metaCodec.encode(message);
    expect(metaCodec.decode(base64(Buffer.from(bytes)))).toEqual(message);
  });

  it.each([
    ['a member twice', base64('{"a":1,"a":1}')],
    ['white space', base64('{"a": 1}')],
    ['another spelling of a number', base64('{"a":1.0}')],
    ['another spelling of a character', base64(String.raw`{"a":"\u0061"}`)],
    ['a byte order mark', base64('\ufeff{}')],
    ['no JSON', base64('{')],
    ['no UTF-8', base64(Buffer.of(0x22, 0xff, 0x22))],
    ['no base64', '{}'],
    ['base64 of another form', 'e30'],
    ['more levels than there is room for', base64('['.repeat(200_000) + ']'.repeat(200_000))],
  ])('refuses %s', (_, body) => {
    expect(codeFrom(() => metaCodec.decode(body))).toBe('MESH_ERR_ENVELOPE_MALFORMED');
  });
});
