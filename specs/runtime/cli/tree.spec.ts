import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { drawTree } from '../../../runtime/cli/commands/tree.ts';
import { EPOCH_MS, treeOf } from '../../support/control/records.ts';

describe('drawTree', () => {
  it('draws what supervises what, with states and restarts', () => {
    const root = treeOf('mesh', [
      treeOf('mesh/edge', [treeOf('mesh/edge/listener')]),
      treeOf('mesh/agents', [{ ...treeOf('mesh/agents/a', [], 2), state: 'ready.steady' }]),
    ]);
    const lines = drawTree(root, EPOCH_MS + 65_000).map(stripVTControlCharacters);
    expect(lines).toEqual([
      'mesh  running, 1m 5s',
      '├─ edge  running, 1m 5s',
      '│  └─ listener  running, 1m 5s',
      '└─ agents  running, 1m 5s',
      '   └─ a  running ready.steady, 2 restarts, 1m 5s',
    ]);
  });
});
