import { existsSync, readFileSync, readdirSync } from 'node:fs';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { ENVELOPE_PAYLOAD_TYPE } from '../../../machines/gossip/envelope.schema.ts';
import { META_ENVELOPE_BYTES_MAX } from '../../../machines/gossip/limits.ts';
import { preAuthEncoding } from '../../../machines/workload/dsse.ts';
import {
  bodyOf,
  createPeerKey,
  decodeEnvelope,
  encodeEnvelope,
  makeEnvelope,
  messageIdOf,
  peerIdOf,
  proveEnvelope,
} from '../../../runtime/gossip/envelope-codec.ts';
import { isKeyOf, signedText } from '../../../runtime/workers/envelope-proof.ts';
import {
  metaMessage,
  publicMessage,
  samplePeer,
  secretKeyOf,
  withHeader,
} from '../../support/gossip/letters.ts';

const VECTORS = new URL('../../../../shared/vectors/', import.meta.url);
const isMissing = !existsSync(VECTORS);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, VECTORS), 'utf8'));

const [ann, bob] = [samplePeer(1), samplePeer(2)];
const message = publicMessage(ann);

function codeFrom(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return codeOf(error);
  }
  return 'nothing';
}
const decodeText = (text: string): string | undefined =>
  codeFrom(() => decodeEnvelope(Buffer.from(text)));

describe('makeEnvelope', () => {
  it('gives an envelope that its bytes give back and its author proves', () => {
    const sealed = metaMessage(ann, bob, 3, { replyTo: message.header.message_id });
    for (const envelope of [message, sealed]) {
      const again = decodeEnvelope(encodeEnvelope(envelope));
      expect(again).toEqual(envelope);
      proveEnvelope(again, ann.publicKey);
    }
    expect(bodyOf(message).toString()).toBe('message 0');
  });

  it('signs as tweetnacl does, over the encoding of DSSE', () => {
    const { message_id: _, ...unsigned } = message.header;
    const canonical = Buffer.from(canonicalize(unsigned) ?? '');
    const signed = preAuthEncoding(ENVELOPE_PAYLOAD_TYPE, canonical);
    const signature = nacl.sign.detached(signed, secretKeyOf(1));
    expect(message.signature).toBe(Buffer.from(signature).toString('base64'));
    expect(message.header.message_id).toBe(peerIdOf(signed));
    expect(Buffer.from(signedText(message.header))).toEqual(Buffer.from(signed));
  });

  it('gives other content another id, and the same content the same envelope', () => {
    expect(publicMessage(ann)).toEqual(message);
    const others = [publicMessage(ann, 1), publicMessage(bob), metaMessage(ann, bob)];
    const ids = new Set([message, ...others].map(({ header }) => header.message_id));
    expect(ids.size).toBe(4);
  });

  it('makes nothing that no peer would take', () => {
    const make = (change: object) => codeFrom(() => publicMessage(ann, 0, change));
    expect(make({ ttlSeconds: 0 })).toBe('MESH_ERR_ENVELOPE_MALFORMED');
    expect(make({ body: Buffer.alloc(65 * 1024) })).toBe('MESH_ERR_ENVELOPE_TOO_LARGE');
    const content = {
      meshId: 'Home',
      kind: 'public',
      createdAtMs: 0,
      seq: 0,
      ttlSeconds: 1,
    } as const;
    const body = Buffer.alloc(0);
    expect(codeFrom(() => makeEnvelope({ ...content, body }, ann))).toBe(
      'MESH_ERR_ENVELOPE_MALFORMED',
    );
  });

  it('takes no key pair whose public key counts for nobody', () => {
    const pair = new Uint8Array(64);
    expect(codeFrom(() => createPeerKey(pair))).toBe('MESH_ERR_ENVELOPE_KEY');
  });
});

describe('decodeEnvelope', () => {
  const text = encodeEnvelope(message).toString();

  it.each([
    ['white space', `${text} `],
    ['a byte order mark', `\ufeff${text}`],
    ['a member twice', text.replace('"kind"', '"kind":"meta","kind"')],
    ['another order', JSON.stringify({ ...message, body: message.body })],
    ['an escape that is not needed', text.replace('"public"', String.raw`"publi\u0063"`)],
    ['a fraction that is whole', text.replace('"seq":0', '"seq":0.0')],
    ['minus zero', text.replace('"seq":0', '"seq":-0')],
    ['an exponent', text.replace('"ttl_seconds":86400', '"ttl_seconds":864e2')],
    ['a prototype', text.replace('{"body"', '{"__proto__":{},"body"')],
    ['no JSON', text.slice(1)],
    ['nothing', ''],
    ['deep JSON', '['.repeat(500_000)],
    [
      'deep JSON in place of a body',
      text.replace(/"body":"[^"]*"/, `"body":${'['.repeat(90_000)}`),
    ],
  ])('refuses %s', (_, other) => {
    expect(decodeText(other)).toBe('MESH_ERR_ENVELOPE_MALFORMED');
  });

  it('reads nothing that is longer than its kind may be', () => {
    const longer = Buffer.alloc(META_ENVELOPE_BYTES_MAX + 1, ' ');
    expect(codeFrom(() => decodeEnvelope(longer))).toBe('MESH_ERR_ENVELOPE_TOO_LARGE');
    const padded = `${text}${' '.repeat(100 * 1024)}`;
    expect(decodeText(padded)).toBe('MESH_ERR_ENVELOPE_TOO_LARGE');
  });

  it.each([
    ['MESH_ERR_ENVELOPE_VERSION', text.replace('"version":1', '"version":2')],
    ['MESH_ERR_ENVELOPE_KIND', text.replace('"public"', '"poison"')],
    ['MESH_ERR_ENVELOPE_ID', text.replace('"seq":0', '"seq":1')],
    ['MESH_ERR_ENVELOPE_BODY', text.replace(/"body":"[^"]*"/, '"body":"aGVsbG8="')],
  ])('says %s', (code, other) => {
    expect(decodeText(other)).toBe(code);
  });

  it('answers any octets, and any single changed one, with a code', () => {
    const code = /^MESH_ERR_ENVELOPE_/;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(codeFrom(() => decodeEnvelope(bytes))).toMatch(code);
      }),
    );
    const bytes = encodeEnvelope(message);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const other = Buffer.from(bytes);
        other[at] = (other[at] ?? 0) ^ flip;
        const found = codeFrom(() => proveEnvelope(decodeEnvelope(other), ann.publicKey));
        expect(found).toMatch(code);
      }),
      { numRuns: 500 },
    );
  });
});

describe('proveEnvelope', () => {
  it.each([
    ['MESH_ERR_ENVELOPE_ID', withHeader(message, { seq: 9 }), ann],
    ['MESH_ERR_ENVELOPE_BODY', { ...message, body: 'aGVsbG8=' }, ann],
    ['MESH_ERR_ENVELOPE_KEY', message, bob],
    [
      'MESH_ERR_ENVELOPE_SIGNATURE',
      { ...message, signature: publicMessage(ann, 1).signature },
      ann,
    ],
  ])('says %s', (code, envelope, peer) => {
    expect(codeFrom(() => proveEnvelope(envelope, peer.publicKey))).toBe(code);
  });

  it('refuses a message in the name of another, whoever signed it', () => {
    const forged = withHeader(publicMessage(bob), { sender_id: ann.id });
    const named = withHeader(forged, { message_id: messageIdOf(forged.header) });
    for (const [peer, code] of [
      [ann, 'MESH_ERR_ENVELOPE_SIGNATURE'],
      [bob, 'MESH_ERR_ENVELOPE_KEY'],
    ] as const)
      expect(codeFrom(() => proveEnvelope(named, peer.publicKey))).toBe(code);
  });
});

interface Case {
  readonly vk_bytes: string;
}

describe.skipIf(isMissing)('against vectors', () => {
  it('takes none of the 196 small-order and non-canonical pairs as a peer that signed', () => {
    const cases = read('ed25519/zip215.json') as readonly Case[];
    const keys = cases.map((one) => Buffer.from(one.vk_bytes, 'hex'));
    expect(keys.length).toBe(196);
    const accepted = keys.filter((key) => isKeyOf(key, peerIdOf(key)));
    expect(accepted).toEqual([]);
  });

  it('encodes as the example of DSSE does', () => {
    const { body, payloadType, pae } = read('gossip/dsse-vector.json') as Record<string, string>;
    const encoded = preAuthEncoding(payloadType ?? '', Buffer.from(body ?? ''));
    expect(Buffer.from(encoded).toString()).toBe(pae);
  });

  it('stands on a canonical form that passes the cases of RFC 8785', () => {
    for (const name of readdirSync(new URL('jcs/input/', VECTORS))) {
      const output = readFileSync(new URL(`jcs/output/${name}`, VECTORS), 'utf8');
      expect(canonicalize(read(`jcs/input/${name}`))).toBe(output);
    }
  });
});
