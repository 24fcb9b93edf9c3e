import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineCrc32 } from '../../../runtime/spore/crc32-combine.ts';

describe('combineCrc32', () => {
  it('gives the CRC of two texts in a row', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array({ maxLength: 2000 }), (first, second) => {
        const whole = crc32(Buffer.concat([first, second]));
        expect(combineCrc32(crc32(first), crc32(second), second.length)).toBe(whole);
      }),
    );
  });

  it('starts from the CRC of nothing', () => {
    expect(combineCrc32(0, 0x1234_5678, 99)).toBe(0x1234_5678);
  });

  it('takes lengths above 32 bits', () => {
    const zeros = 2 ** 33 + 5;
    const halves = combineCrc32(combineCrc32(7, 0, 2 ** 33), 0, 5);
    expect(combineCrc32(7, 0, zeros)).toBe(halves);
  });
});
