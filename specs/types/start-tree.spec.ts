/** What the compiler takes and refuses of a tree: it knows paths, events, inputs and snapshots. */
import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../support/types/compile.ts';

const MACHINES_MODULE = `
import { fromPromise, setup } from 'xstate';

export const door = setup({
  types: {} as { events: { type: 'open' } | { type: 'close' } },
}).createMachine({ id: 'door', initial: 'closed', states: { closed: {} } });

export const till = setup({
  types: {} as {
    input: { float: number; coins?: number[] };
    context: { cash: number };
    events: { type: 'ring'; amount: number };
    output: { taken: number };
  },
}).createMachine({ id: 'till', context: ({ input }) => ({ cash: input.float }) });

export const fetchPrice = fromPromise<number, { article: string }>(() => Promise.resolve(1));
`;

/** Every program has these at hand. */
const MACHINES = `
import { childSpec, dynamicPath, startTree, threadLogic } from 'mycelium-mesh';
import type { ChildSpec, SupervisorSpec, Tree } from 'mycelium-mesh';
import { door, fetchPrice, till } from './machines.ts';
`;

const TREE_MODULE = `${MACHINES}
export const tree = await startTree({
  id: 'house',
  type: 'supervisor',
  children: [
    { id: 'door', logic: door },
    childSpec({ id: 'garage', logic: door }),
    {
      id: 'shop',
      type: 'supervisor',
      children: [
        { id: 'till', logic: till, input: { float: 5, coins: [1, 2] } },
        { id: 'mixer', placement: 'thread', logic: threadLogic<typeof till>({ module: 'file:///a' }),
          input: { float: 1 } },
      ],
    },
    { id: 'guests', type: 'supervisor' },
    { id: 'tills', type: 'supervisor', strategy: 'simple_one_for_one',
      children: [{ id: 'till', logic: till }] },
  ],
});
`;

const TREE = `${MACHINES} import { tree } from './tree.ts';`;

const specWith = (child: string): string => `${MACHINES}
await startTree({ id: 'house', type: 'supervisor', children: [${child}] });`;

const COMPILES: Readonly<Record<string, string>> = {
  'sends to static paths': `${TREE}
    tree.send('house/door', { type: 'open' });
    tree.send('house/garage', { type: 'close' });
    tree.send('house/shop/till', { type: 'ring', amount: 1 });
    tree.send('house/shop/mixer', { type: 'ring', amount: 1 });`,
  'sends below a template': `${TREE}
    const id: string = 'till-1';
    tree.send(\`house/tills/\${id}\`, { type: 'ring', amount: 1 });`,
  'a path that only exists at run time, said to be one': `${TREE}
    tree.send(dynamicPath('house/guests/eve'), { type: 'greet' });
    tree.snapshotOf(dynamicPath('house/guests/eve'));`,
  'snapshots with their context and output': `${TREE}
    const cash: number | undefined = tree.snapshotOf('house/shop/till')?.context.cash;
    const taken: number | undefined = tree.snapshotOf('house/shop/till')?.output?.taken;
    const isUp: boolean | undefined = tree.snapshotOf('house/door')?.matches('closed');
    const mirrored: number | undefined = tree.snapshotOf('house/shop/mixer')?.context.cash;`,
  'asks static paths': `${TREE}
    const { type }: { type: string } = await tree.ask('house/door', { type: 'open' });`,
  'starts children': `${TREE}
    await tree.startChild('house/guests', { id: 'eve', logic: door });
    await tree.startChild('house/tills', { input: { float: 3 } });
    await tree.startChild('house/tills', { id: 'second', input: () => ({ float: 3 }) });`,
  'input made at each start': specWith(
    `{ id: 'a', logic: till, input: () => ({ float: 2 }) },
     childSpec({ id: 'b', logic: till, input: ({ incarnation }) => ({ float: incarnation }) })`,
  ),
  'input where none is declared': specWith(`{ id: 'a', logic: door, input: 5 }`),
  'a typed tree where any tree is asked for': `${TREE}
    const any: Tree = tree;
    any.send('whatever', { type: 'whatever' });`,
  'a computed spec, whose paths are any strings': `${MACHINES}
    const spec = {} as SupervisorSpec;
    const tree = await startTree(spec);
    tree.send('whatever', { type: 'whatever' });`,
  'a computed list of children, whose paths are made of strings': `${MACHINES}
    const ids: readonly string[] = ['a', 'b'];
    const tree = await startTree({ id: 'house', type: 'supervisor',
      children: ids.map((id) => ({ id, logic: door })) });
    tree.send(\`house/\${ids[0] ?? ''}\`, { type: 'open' });`,
  'a child spec as a common one': `${MACHINES}
    const spec: ChildSpec = childSpec({ id: 'a', logic: till, input: { float: 1 } });
    await startTree({ id: 'house', type: 'supervisor', children: [spec] });`,
};

const REFUSED: Readonly<Record<string, readonly [program: string, message: RegExp]>> = {
  'an event of another child': [
    `${TREE} tree.send('house/door', { type: 'ring', amount: 1 });`,
    /'"ring"' is not assignable to type '("open" \| "close"|"close" \| "open")'/,
  ],
  'an event of another child in a thread': [
    `${TREE} tree.send('house/shop/mixer', { type: 'open' });`,
    /'"open"' is not assignable to type '"ring"'/,
  ],
  'a question that another child takes': [
    `${TREE} await tree.ask('house/door', { type: 'ring', amount: 1 });`,
    /'"ring"' is not assignable/,
  ],
  'an event without its payload': [
    `${TREE} tree.send('house/shop/till', { type: 'ring' });`,
    /Property 'amount' is missing/,
  ],
  'an unknown path': [
    `${TREE} tree.send('house/window', { type: 'open' });`,
    /'"house\/window"' is not assignable/,
  ],
  'an unknown path of a snapshot': [
    `${TREE} tree.snapshotOf('house/shop/window');`,
    /'"house\/shop\/window"' is not assignable/,
  ],
  'an unknown path to watch': [
    `${TREE} tree.watch('house/window', () => {});`,
    /'"house\/window"' is not assignable/,
  ],
  'mail to a supervisor': [`${TREE} tree.send('house/shop', { type: 'open' });`, /not assignable/],
  'a child below a worker': [
    `${TREE} await tree.startChild('house/door', { id: 'a', logic: door });`,
    /'"house\/door"' is not assignable/,
  ],
  'a template child with another input': [
    `${TREE} await tree.startChild('house/tills', { input: { float: 'much' } });`,
    /not assignable/,
  ],
  'a template child without its input': [
    `${TREE} await tree.startChild('house/tills', {});`,
    /Property 'input' is missing/,
  ],
  'a string of unknown content as a path': [
    `${TREE} const path: string = 'house/door'; tree.send(path, { type: 'open' });`,
    /'string' is not assignable/,
  ],
  'input that is missing': [specWith(`{ id: 'a', logic: till }`), /house\/a needs an input/],
  'input of another type': [
    specWith(`{ id: 'a', logic: till, input: { float: 'much' } }`),
    /house\/a takes another input/,
  ],
  'input of another type, made at the start': [
    specWith(`{ id: 'a', logic: fetchPrice, input: () => ({ name: 'pen' }) }`),
    /house\/a takes another input/,
  ],
  'input of a thread that is missing': [
    specWith(
      `{ id: 'a', placement: 'thread', logic: threadLogic<typeof till>({ module: 'a:b' }) }`,
    ),
    /house\/a needs an input/,
  ],
  'input that is missing deep in the tree': [
    specWith(`{ id: 'shop', type: 'supervisor', children: [{ id: 'till', logic: till }] }`),
    /house\/shop\/till needs an input/,
  ],
  'a child spec without its input': [
    `${MACHINES} childSpec({ id: 'a', logic: till });`,
    /Property 'input' is missing/,
  ],
  'a child spec with a predicate on another state': [
    `${MACHINES} childSpec({ id: 'a', logic: door, ready: (snapshot) => snapshot.matches('ajar') });`,
    /'"ajar"' is not assignable/,
  ],
  'an unknown restart type': [
    specWith(`{ id: 'a', logic: door, restart: 'always' }`),
    /'"always"' is not assignable/,
  ],
  'an unknown strategy': [
    `${MACHINES} await startTree({ id: 'a', type: 'supervisor', strategy: 'one_for_some' });`,
    /'"one_for_some"' is not assignable/,
  ],
};

let said: Readonly<Record<string, string>> = {};
beforeAll(async () => {
  const refused = Object.entries(REFUSED).map(([name, [program]]) => [name, program] as const);
  said = await compile(
    { ...COMPILES, ...Object.fromEntries(refused) },
    { 'machines.ts': MACHINES_MODULE, 'tree.ts': TREE_MODULE },
  );
}, 60_000);

describe('startTree takes', () => {
  it.each(Object.keys(COMPILES))('%s', (name) => {
    expect(said[name]).toBe('');
  });
});

describe('startTree refuses to compile', () => {
  it.each(Object.entries(REFUSED))('%s', (name, [, message]) => {
    expect(said[name]).toMatch(message);
  });
});
