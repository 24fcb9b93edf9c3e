import { describe, expect, it } from 'vitest';
import { runSeed } from './world.ts';

describe('a simulated mesh', () => {
  it('of four peers breaks no rule and comes to agree', async () => {
    const { violations, convergedAfterMs, checks } = await runSeed({ seed: 1, peers: 4 });
    expect(violations).toEqual([]);
    expect(convergedAfterMs).not.toBeNull();
    expect(checks).toBeGreaterThan(100);
  });

  it('is the same each time, to the last line of its trace', async () => {
    const [first, second] = [await runSeed(REPEATED), await runSeed(REPEATED)];
    expect(second).toEqual(first);
    expect(first.trace.length).toBeGreaterThan(50);
  });
});

const REPEATED = { seed: 7, peers: 3 };
