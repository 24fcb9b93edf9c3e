import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packChecks, unpackChecks } from '../../../runtime/workers/signature-batch.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const check = fc.record({
  publicKey: bytes(32),
  signature: bytes(64),
  message: fc.uint8Array({ maxLength: 200 }),
});

describe('packChecks', () => {
  it('gives back every check, in order', () => {
    fc.assert(
      fc.property(fc.array(check, { maxLength: 70 }), (checks) => {
        expect(unpackChecks(packChecks(checks))).toEqual(checks);
      }),
    );
  });

  it('copies bytes out of larger buffers', () => {
    const message = Buffer.from('before message after').subarray(7, 14);
    const checks = [{ publicKey: new Uint8Array(32), signature: new Uint8Array(64), message }];
    expect(Buffer.from(unpackChecks(packChecks(checks))[0]?.message ?? []).toString()).toBe(
      'message',
    );
  });

  it('leaves out keys and signatures of a wrong size', () => {
    const message = new Uint8Array([1]);
    const odd = { publicKey: new Uint8Array(1_000_000), signature: new Uint8Array(63), message };
    const packed = packChecks([odd]);
    expect(packed.byteLength).toBeLessThan(32);
    expect(unpackChecks(packed)).toEqual([
      { publicKey: new Uint8Array(), signature: new Uint8Array(), message },
    ]);
  });
});
