/** Random machines with all that XState's charts have; each ends every loop when its fuel is out. */
import fc from 'fast-check';
import {
  and,
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  fromCallback,
  log,
  not,
  or,
  raise,
  sendTo,
  spawnChild,
  stateIn,
  stopChild,
} from 'xstate';
import type { AnyStateMachine } from 'xstate';
import { journal } from './twin-run.ts';
import type { Step } from './twin-run.ts';

interface Memory {
  readonly count: number;
  readonly fuel: number;
  readonly [key: string]: unknown;
}
interface Given {
  readonly context: Memory;
  readonly event: { readonly type: string };
}

/** What a random machine is made from: shrinks to the smallest that differs. */
export interface Sketch {
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly states: readonly Sketch[];
  readonly ways: readonly Way[];
  readonly entry: readonly number[];
  readonly exit: readonly number[];
  readonly always: readonly Way[];
  readonly after: readonly Way[];
  readonly isDeep: boolean;
  readonly invokes: boolean;
  readonly tag: number;
}

interface Way {
  readonly event: string;
  /** Of all states; undefined stays. */
  readonly target: number | undefined;
  readonly guard: number;
  readonly actions: readonly number[];
  readonly reenter: boolean;
}

/** What all nodes of a machine are built with. */
interface Frame {
  /** Of all states. */
  readonly ids: readonly string[];
  /** Only what plans are for, so that long walks stay within them. */
  readonly isPlain: boolean;
}

const OUTER_EVENTS = ['a', 'b', 'c.d', 'c.e'];
const RAISED_EVENTS = ['r.1', 'r.2'];
const DESCRIPTORS = [...OUTER_EVENTS, ...RAISED_EVENTS, 'c.*', '*'];

/** Spoken of by their place in this list; `burn` must be the first. */
const ACTIONS = [
  'burn',
  'note',
  { type: 'noteParams', params: { of: 1 } },
  { type: 'noteParams', params: ({ context }: Given) => ({ of: context.count }) },
  assign({ count: ({ context }: Given) => context.count + 1, fixed: 1 }),
  assign(({ context, event }: Given) => ({ count: context.count * 2, last: event.type })),
  'countNamed',
  'unimplemented',
  ({ context, event }: Given) => journal.push(`inline ${event.type} ${context.count}`),
  'throwSometimes',
  raise({ type: 'r.1' }),
  raise({ type: 'r.2' }, { delay: 5, id: 'soon' }),
  raise(({ context }: Given) => ({ type: context.count % 2 ? 'r.1' : 'r.2' })),
  raise({ type: 'b' }, { delay: 'pause' as never }),
  cancel('soon'),
  emit({ type: 'told' }),
  emit(({ context }: Given) => ({ type: 'told', count: context.count })),
  log('a line'),
  sendTo(({ self }) => self, { type: 'a' }, { delay: 3 }),
  enqueueActions(({ enqueue, check }) => {
    if (check('isEven')) enqueue.assign({ count: 7 });
    enqueue('note');
  }),
  'spawnAssigned',
  spawnChild('beeper' as never, { id: 'spawned' }),
  stopChild('spawned'),
] as const;

/** Those that XState must carry out. */
const UNPLANNED: ReadonlySet<number> = new Set([12, 19, 21, 22]);

const GUARDS = [
  undefined,
  undefined,
  'isEven',
  { type: 'isBelow', params: { limit: 5 } },
  { type: 'isBelow', params: ({ context }: Given) => ({ limit: context.fuel }) },
  ({ context }: Given) => context.count % 3 !== 0,
  not('isEven'),
  and(['isEven', { type: 'isBelow', params: { limit: 40 } }]),
  or(['isEven', 'throws']),
  stateIn('#root.0'),
  'isCombined',
  'unknownGuard',
];

const implementations = {
  actions: {
    burn: assign({ fuel: ({ context }: Given) => context.fuel - 1 }),
    note: ({ context, event }: Given) => journal.push(`note ${event.type} ${context.count}`),
    noteParams: (_: Given, params: unknown) => journal.push(`params ${JSON.stringify(params)}`),
    countNamed: assign({ count: ({ context }: Given) => context.count + 10 }),
    throwSometimes: ({ context }: Given) => {
      if (context.count % 5 === 4) throw new Error('on request');
    },
    spawnAssigned: assign({
      child: ({ spawn }: { spawn: (src: string, options: object) => unknown }) =>
        spawn('beeper', { id: 'assigned' }),
    }),
  },
  guards: {
    isEven: ({ context }: Given) => {
      journal.push(`asked isEven ${context.count}`);
      return context.count % 2 === 0;
    },
    isBelow: ({ context }: Given, { limit }: { limit: number }) => context.count < limit,
    hasFuel: ({ context }: Given) => context.fuel > 0,
    throws: ({ context }: Given) => {
      if (context.count > 3) throw new Error('cannot say');
      return false;
    },
    isCombined: and(['isEven', not('throws')]),
  },
  actors: {
    beeper: fromCallback(({ sendBack, receive }) => {
      receive(() => {});
      sendBack({ type: 'r.2' });
      return () => journal.push('beeper ended');
    }),
  },
  delays: { pause: 4, wait: ({ context }: Given) => 1 + (context.count % 7) },
};

const wayOf = (actionsMax: number): fc.Arbitrary<Way> =>
  fc.record({
    event: fc.constantFrom(...DESCRIPTORS),
    target: fc.option(fc.nat(11), { nil: undefined }),
    guard: fc.nat(GUARDS.length - 1),
    actions: fc.array(fc.nat(ACTIONS.length - 1), { maxLength: actionsMax }),
    reenter: fc.boolean(),
  });

const sometimes = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> =>
  fc.oneof(
    { weight: 7, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(arbitrary, { minLength: 1, maxLength: 1 }) },
  );

const actionList = fc.array(fc.nat(ACTIONS.length - 1), { maxLength: 2 });

/** A node with at most `depth` levels below it. */
const nodeOf = (depth: number): fc.Arbitrary<Sketch> =>
  fc.record({
    kind: fc.oneof(
      { weight: 6, arbitrary: fc.constant('atomic' as const) },
      { weight: depth > 0 ? 5 : 0, arbitrary: fc.constant('compound' as const) },
      { weight: depth > 0 ? 1 : 0, arbitrary: fc.constant('parallel' as const) },
      { weight: 1, arbitrary: fc.constant('final' as const) },
      { weight: 1, arbitrary: fc.constant('history' as const) },
    ),
    states:
      depth > 0 ? fc.array(nodeOf(depth - 1), { minLength: 1, maxLength: 3 }) : fc.constant([]),
    ways: fc.array(wayOf(3), { maxLength: 4 }),
    entry: actionList,
    exit: actionList,
    always: sometimes(wayOf(2)),
    after: sometimes(wayOf(2)),
    isDeep: fc.boolean(),
    invokes: fc.boolean(),
    tag: fc.nat(2),
  });

/** A sketch whose root has states. */
export const sketches: fc.Arbitrary<Sketch> = fc
  .tuple(nodeOf(0), fc.array(nodeOf(2), { minLength: 2, maxLength: 4 }))
  .map(([root, states]) => ({ ...root, kind: 'compound' as const, states }));

/** Events and waits. */
export const walks: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...OUTER_EVENTS, 'nobody').map((type) => ({ type })) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
  ),
  { minLength: 4, maxLength: 20 },
);

/** Builds the machine; a sketch that XState refuses gives undefined. */
export function machineOf(root: Sketch): AnyStateMachine | undefined {
  const ids: string[] = [];
  collectIds(root, 'root', ids);
  const config = {
    ...configOf(root, 'root', { ids, isPlain: root.invokes }),
    context: root.isDeep ? contextOf(root) : { count: 0, fuel: 12 },
  };
  try {
    return createMachine(config as never, implementations as never);
  } catch {
    // Such as a transition from the root to a history state without a parent: not a machine.
    return undefined;
  }
}

/** A context that is computed, may spawn and may fail. */
const contextOf =
  ({ tag, invokes }: Sketch) =>
  ({ spawn, input }: { spawn: (src: string, options: object) => unknown; input: unknown }) => {
    if (tag === 2 && invokes) throw new Error('no context');
    const child = tag === 1 ? { child: spawn('beeper', { id: 'first' }) } : {};
    return { ...child, count: Number(input), fuel: 12 };
  };

function collectIds(sketch: Sketch, id: string, ids: string[]): void {
  for (const [at, state] of statesOf(sketch).entries()) {
    ids.push(`${id}.${at}`);
    collectIds(state, `${id}.${at}`, ids);
  }
}

/** A history state cannot come first, and only compound and parallel states have children. */
function statesOf({ kind, states }: Sketch): readonly Sketch[] {
  if (kind !== 'compound' && kind !== 'parallel') return [];
  return states.map((state, at) =>
    at === 0 && (state.kind === 'history' || state.kind === 'final')
      ? { ...state, kind: 'atomic' as const }
      : state,
  );
}

function configOf(sketch: Sketch, id: string, frame: Frame): object {
  const states = statesOf(sketch);
  const base = { id, tags: [`tag ${sketch.tag}`], meta: { of: id } };
  const { isPlain } = frame;
  if (sketch.kind === 'history' && isPlain) return base;
  if (sketch.kind === 'history')
    return { id, type: 'history', history: sketch.isDeep ? 'deep' : 'shallow' };
  const actions = {
    entry: actionsOf(sketch.entry, isPlain),
    exit: actionsOf(sketch.exit, isPlain),
  };
  if (sketch.kind === 'final' && !isPlain)
    return { ...base, ...actions, type: 'final', output: { of: id } };
  const on: Record<string, object[]> = {};
  for (const way of sketch.ways) (on[way.event] ??= []).push(wayConfig(way, frame));
  return {
    ...base,
    ...actions,
    on,
    always: (isPlain ? [] : sketch.always).map((way) => wayConfig({ ...way, event: 'r.' }, frame)),
    after: Object.fromEntries(
      sketch.after.map((way, at) => [way.reenter ? 'wait' : 2 + at, wayConfig(way, frame)]),
    ),
    ...(sketch.invokes && sketch.tag === 0 && !isPlain
      ? { invoke: { src: 'beeper', id: `invoked ${id}` } }
      : {}),
    ...(states.length === 0
      ? {}
      : {
          ...(sketch.kind === 'parallel' ? { type: 'parallel' } : { initial: '0' }),
          states: Object.fromEntries(
            states.map((state, at) => [at, configOf(state, `${id}.${at}`, frame)]),
          ),
        }),
  };
}

const actionsOf = (places: readonly number[], isPlain: boolean): readonly unknown[] =>
  places.filter((at) => !isPlain || !UNPLANNED.has(at)).map((at) => ACTIONS[at]);

/** Raised events and eventless transitions need fuel and burn it, so that no loop is endless. */
function wayConfig(way: Way, { ids, isPlain }: Frame): object {
  const { event, target, actions, reenter } = way;
  const needsFuel = /^(r\.|c\.\*|\*)/.test(event);
  const to = target === undefined ? undefined : ids[target % ids.length];
  const guard = needsFuel ? 'hasFuel' : GUARDS[way.guard];
  return {
    ...(to === undefined ? {} : { target: `#${to}` }),
    ...(reenter ? { reenter } : {}),
    ...(guard ? { guard } : {}),
    actions: actionsOf([...(needsFuel ? [0] : []), ...actions], isPlain),
  };
}
