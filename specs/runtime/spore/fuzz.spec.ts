import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { SPORE_ERRORS } from '../../../machines/workload/spore-errors.ts';
import { mutate, mutation } from '../../support/spore-mutations.ts';
import { scratch } from '../../support/scratch.ts';
import {
  BINARY,
  draftOf,
  examine,
  keyOf,
  manifestFor,
  trusting,
  zipOf,
} from '../../support/spore-kit.ts';

const key = keyOf(1);
const trusted = [trusting(key)];
const whole = zipOf(draftOf(manifestFor(BINARY, key)));
const expectedDigest = createHash('sha256').update(whole).digest('hex') as Digest;

describe('readSpore', () => {
  it('never accepts a mutated spore, never fails without a code, never hangs', async () => {
    using folder = scratch();
    const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(mutations, async (steps) => {
        const bytes = mutate(whole, steps);
        if (bytes.equals(whole)) return;
        const report = await examine(folder.file('a'), bytes, { trusted, expectedDigest });
        expect(report.ok).toBe(false);
        for (const { ok, code } of report.checks)
          if (!ok) expect(Object.keys(SPORE_ERRORS)).toContain(code);
      }),
      { numRuns: 600, timeout: 5000 },
    );
  });

  it('never accepts arbitrary bytes', async () => {
    using folder = scratch();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (bytes) => {
        expect((await examine(folder.file('a'), bytes, { trusted })).ok).toBe(false);
      }),
      { numRuns: 300, timeout: 5000 },
    );
  });
});
