import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { commands, expectReference, trees } from '../support/trees/random-trees.ts';

const RUNS = 3000;

describe('random trees', () => {
  it('do and report what the reference does, thousands of them', async () => {
    const seed = Number(process.env['MESH_SEED'] ?? Date.now() % 2 ** 31);
    const compared = { commands: 0, reports: 0 };
    try {
      await fc.assert(
        fc.asyncProperty(trees, commands, (tree, list) => expectReference(tree, list, compared)),
        { numRuns: RUNS, seed },
      );
    } finally {
      console.log(
        `seed ${seed}: ${RUNS} trees, ${compared.commands} commands, ${compared.reports} reports alike`,
      );
    }
  });
});
