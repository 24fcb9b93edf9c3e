import { describe, expect, it } from 'vitest';
import { filterOf, logFilterOf } from '../../../runtime/web/ui/filter.ts';
import { childrenOf, treeRows } from '../../../runtime/web/ui/tree-rows.ts';
import type { LogRow } from '../../../runtime/web/ui/wire.types.ts';
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
    ['constructor:x', []],
    ['-kind:supervisor', ['mesh/edge', 'mesh/agents/hello']],
    ['kind:agent-app', ['mesh/agents/hello']],
    ['-restarts>0 -kind:supervisor', ['mesh/edge']],
  ])('finds by %j', (text, paths) => {
    expect(found(text)).toEqual(paths);
  });
});

describe('logFilterOf', () => {
  const actors = new Map(rows.map((row) => [row.path, row]));
  const log: LogRow[] = [
    { seq: 1, atMs: 0, kind: 'event', path: 'mesh/edge', source: 'mesh', text: 'routes.published' },
    { seq: 2, atMs: 0, kind: 'crash', path: 'mesh/agents/hello', text: 'crash: no database' },
    {
      seq: 3,
      atMs: 0,
      kind: 'event',
      path: 'mesh/agents/hello',
      text: 'health.passed',
      state: 'ready',
    },
    { seq: 4, atMs: 0, kind: 'stop', path: 'mesh/gone', text: 'stopped: shutdown' },
  ];
  const found = (text: string): number[] =>
    log.filter(logFilterOf(text, (path) => actors.get(path))).map(({ seq }) => seq);

  it.each([
    ['', [1, 2, 3, 4]],
    ['kind:crash', [2]],
    ['kind:agent-app', [2, 3]],
    ['state:ready', [3]],
    ['restarts>0', [2, 3]],
    ['restarts>0 kind:event', [3]],
    ['restarts=0', [1, 4]],
    ['machine:edge', [1]],
    ['from:mesh', [1]],
    ['event:health', [3]],
    ['path:agents -event:health', [2]],
    ['status:running', [1, 2, 3]],
    ['DATABASE', [2]],
  ])('finds by %j', (text, seqs) => {
    expect(found(text)).toEqual(seqs);
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

  it('tells the place of each among its siblings', () => {
    const all = treeRows(children, new Set(), undefined);
    expect(all.map(({ row, place, siblings }) => `${row.id} ${place}/${siblings}`)).toEqual([
      'mesh 1/1',
      'edge 1/2',
      'agents 2/2',
      'hello 1/1',
    ]);
  });

  it('puts at the top what has lost its parent', () => {
    const orphan = actorRow('gone/child');
    expect(treeRows(childrenOf(new Map([['gone/child', orphan]])), new Set(), undefined)).toEqual([
      { row: orphan, depth: 0, isOpen: true, isLeaf: true, place: 1, siblings: 1 },
    ]);
  });
});
