import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../machines/kernel/ids.ts';
import { createWorkerPool } from '../../runtime/adapters/worker-pool.piscina.ts';
import { packSpore } from '../../runtime/spore/index.ts';
import { scratch } from '../support/scratch.ts';
import {
  BINARY,
  CREATED_AT,
  SOURCE,
  draftOf,
  examine,
  keyOf,
  manifestFor,
  trusting,
  zipOf,
} from '../support/spore-kit.ts';
import { mutate, mutation } from '../support/spore-mutations.ts';

const key = keyOf(1);
const trusted = [trusting(key)];
const digestOf = (bytes: Buffer): Digest =>
  createHash('sha256').update(bytes).digest('hex') as Digest;

describe('every bit of a spore', () => {
  it('counts: with any one flipped it is another spore, or none', async () => {
    using folder = scratch();
    const whole = zipOf(draftOf(manifestFor(BINARY, key)));
    const acceptedAnew: number[] = [];
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const strict = { trusted, expectedDigest: digestOf(whole) };
      const report = await examine(folder.file('a'), bytes, strict);
      expect(report.ok, `bit ${bit}`).toBe(false);
      const isOtherSporeOnly = report.checks.every(({ name, ok }) => ok || name === 'digest');
      if (isOtherSporeOnly && (await examine(folder.file('a'), bytes, { trusted })).ok)
        acceptedAnew.push(bit >> 3);
    }
    // The bits that fill up the last byte of a deflate stream say nothing (RFC 1951 §3.2.3): with
    // them changed it is the same signed content under another digest.
    expect(new Set(acceptedAnew).size).toBeLessThanOrEqual(1);
  });
});

describe('a packed spore of several segments', () => {
  it('is never accepted when mutated', async () => {
    using folder = scratch();
    const pool = createWorkerPool({ threads: 2 });
    await using _ = { [Symbol.asyncDispose]: () => pool.close() };
    const binaryPath = folder.file('binary');
    writeFileSync(binaryPath, Buffer.concat([randomBytes(5_000_000), Buffer.alloc(1_000_000)]));
    const outPath = folder.file('whole.spore');
    const packed = await packSpore(pool, {
      manifest: SOURCE,
      binaryPath,
      key,
      outPath,
      createdAt: CREATED_AT,
    });
    const whole = readFileSync(outPath);
    const questions = { trusted, expectedDigest: packed.digest };
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (steps) => {
        const bytes = mutate(whole, steps);
        if (bytes.equals(whole)) return;
        expect((await examine(folder.file('a'), bytes, questions)).ok).toBe(false);
      }),
      { numRuns: 300, timeout: 10_000 },
    );
  });
});
