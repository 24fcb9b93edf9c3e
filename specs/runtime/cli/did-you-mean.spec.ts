import { describe, expect, it } from 'vitest';
import { nearest } from '../../../runtime/cli/did-you-mean.ts';

describe('nearest', () => {
  it.each([
    ['prot', ['port', 'home'], 'port'],
    ['node', ['nodes', 'home'], 'nodes'],
    ['on_runtime_deth', ['on_runtime_death'], 'on_runtime_death'],
    ['pt', ['port'], undefined],
    ['colour', ['port', 'home'], undefined],
    ['', ['port'], undefined],
    ['port', [], undefined],
  ])('takes %j among %j for %j', (word, known, expected) => {
    expect(nearest(word, known)).toBe(expected);
  });
});
