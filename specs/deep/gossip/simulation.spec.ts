/** Seeds that break no rule, and defects of which each is found. `npm run sim` runs more of both. */
import { describe, expect, it } from 'vitest';
import { NO_BUG, PLANTED_BUGS } from '../../simulation/planted-bugs.ts';
import { runSeed } from '../../simulation/world.ts';

/** Seeds after which a planted defect counts as not found. */
const LOOKED_AT = 6;

describe('a simulated mesh of five peers', () => {
  it('breaks no rule and comes to agree, whatever befalls it', async () => {
    const broken: string[] = [];
    let slowestMs = 0;
    for (let seed = 101; seed <= 106; seed++) {
      const { violations, convergedAfterMs } = await runSeed({ seed, peers: 5 });
      broken.push(...violations.map((one) => `seed ${seed}: ${one}`));
      slowestMs = Math.max(slowestMs, convergedAfterMs ?? 0);
    }
    console.log(`slowest convergence: ${Math.round(slowestMs / 60_000)} virtual minutes`);
    expect(broken).toEqual([]);
  });

  it('breaks no rule in the worlds of the planted defects, without theirs', async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const { violations } = await runSeed({ seed, peers: 5, bug: NO_BUG });
      expect(violations).toEqual([]);
    }
  });

  it.each(PLANTED_BUGS.map((bug) => [bug.name, bug] as const))(
    'finds a peer that %s',
    async (_, bug) => {
      let found: string | undefined;
      let seed = bug.seed;
      for (; found === undefined && seed < bug.seed + LOOKED_AT; seed++)
        [found] = (await runSeed({ seed, peers: 5, bug })).violations;
      console.log(`seed ${seed - 1}: ${found}`);
      expect(found).toBeDefined();
    },
  );
});
