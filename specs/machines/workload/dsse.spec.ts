import { createPublicKey, verify } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { preAuthEncoding } from '../../../machines/workload/dsse.ts';

const VECTOR = new URL('../../../../shared/vectors/gossip/dsse-vector.json', import.meta.url);

interface DsseVector {
  body: string;
  payloadType: string;
  pae: string;
  X: string;
  Y: string;
  sigB64: string;
}

const base64url = (decimal: string): string =>
  Buffer.from(BigInt(decimal).toString(16).padStart(64, '0'), 'hex').toString('base64url');

describe('preAuthEncoding', () => {
  it('counts bytes, not characters', () => {
    const encoded = preAuthEncoding('é', Uint8Array.of(0xff));
    const hex = `${Buffer.from('DSSEv1 2 é 1 ').toString('hex')}ff`;
    expect(Buffer.from(encoded).toString('hex')).toBe(hex);
  });

  it('keeps an empty body apart from an empty type', () => {
    expect(Buffer.from(preAuthEncoding('', new Uint8Array())).toString()).toBe('DSSEv1 0  0 ');
  });

  it.skipIf(!existsSync(VECTOR))('gives the vector of the DSSE protocol', () => {
    const vector = JSON.parse(readFileSync(VECTOR, 'utf8')) as DsseVector;
    const encoded = preAuthEncoding(vector.payloadType, Buffer.from(vector.body));
    expect(Buffer.from(encoded).toString()).toBe(vector.pae);
    const key = createPublicKey({
      key: { kty: 'EC', crv: 'P-256', x: base64url(vector.X), y: base64url(vector.Y) },
      format: 'jwk',
    });
    const signature = Buffer.from(vector.sigB64, 'base64');
    expect(verify('sha256', encoded, { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
  });
});
