import { describe, expect, it } from 'vitest';
import { filterOf } from '../../../runtime/web/ui/filter.ts';
import { childrenOf, treeRows } from '../../../runtime/web/ui/tree-rows.ts';
import { actorRow } from './actor-row.ts';

const rows = [
  actorRow('mesh', { kind: 'supervisor' }),
  actorRow('mesh/edge', { machine: 'edge', state: 'listening', events: 12 }),
  actorRow('mesh/agents', { kind: 'supervisor' }),
  actorRow('mesh/agents/hello', { machine: 'agent-app', state: 'failing.waiting', restarts: 3 }),
];
const found = (text: string): string[] => rows.filter(filterOf(text)).map(({ path }) => path);

describe('filterOf', () => {
  it.each([
    ['', rows.map(({ path }) => path)],
    ['state:failing', ['mesh/agents/hello']],
    ['kind:supervisor', ['mesh', 'mesh/agents']],
    ['machine:agent-app', ['mesh/agents/hello']],
    ['restarts>0', ['mesh/agents/hello']],
    ['events>=12', ['mesh/edge']],
    ['events=0 kind:worker', ['mesh/agents/hello']],
    ['LISTEN', ['mesh/edge']],
    ['agents waiting', ['mesh/agents/hello']],
    ['restarts>0 state:listening', []],
    ['nothing:like this', []],
  ])('finds by %j', (text, paths) => {
    expect(found(text)).toEqual(paths);
  });
});

describe('treeRows', () => {
  const children = childrenOf(new Map(rows.map((row) => [row.path, row])));
  const drawn = (closed: string[], text = ''): string[] =>
    treeRows(children, new Set(closed), text === '' ? undefined : filterOf(text)).map(
      ({ row, depth }) => `${'  '.repeat(depth)}${row.id}`,
    );

  it('has children below their parents', () => {
    expect(drawn([])).toEqual(['mesh', '  edge', '  agents', '    hello']);
  });

  it('leaves out what is below a closed one', () => {
    expect(drawn(['mesh/agents'])).toEqual(['mesh', '  edge', '  agents']);
  });

  it('shows under a filter what passes and all above it, also below a closed one', () => {
    expect(drawn(['mesh/agents'], 'restarts>0')).toEqual(['mesh', '  agents', '    hello']);
    expect(drawn([], 'restarts>9')).toEqual([]);
  });

  it('puts at the top what has lost its parent', () => {
    const orphan = actorRow('gone/child');
    expect(treeRows(childrenOf(new Map([['gone/child', orphan]])), new Set(), undefined)).toEqual([
      { row: orphan, depth: 0, isOpen: true, isLeaf: true },
    ]);
  });
});
