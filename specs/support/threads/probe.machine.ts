/** Machines that threads load in specs: one that counts and misbehaves on request, and other logic. */
import { assign, emit, fromPromise, sendTo, setup } from 'xstate';
import { reply } from '../../../supervisor/index.ts';

export interface ProbeInput {
  readonly start?: number;
}

type ProbeEvent =
  | { type: 'count'; by?: number }
  | { type: 'crash' }
  | { type: 'reject' }
  | { type: 'exit' }
  | { type: 'block' }
  | { type: 'hoard' }
  | { type: 'hide' }
  | { type: 'announce' }
  | { type: 'forward'; path: string; event: { type: string } }
  | { type: 'ask' }
  | { type: 'finish' };

const hoard: unknown[] = [];

const probe = setup({
  types: {} as {
    input: ProbeInput;
    context: { count: number; secret?: () => void };
    events: ProbeEvent | { type: 'stop' };
    output: { count: number };
    emitted: { type: 'announced'; count: number };
    tags: 'open';
  },
  actions: {
    tellCount: reply(({ context }) => ({ type: 'count.told', count: context.count })),
    count: assign({
      count: ({ context, event }) => context.count + (event.type === 'count' ? (event.by ?? 1) : 0),
    }),
    crash: () => {
      throw new Error('crashed on request');
    },
    reject: () => {
      void Promise.reject(new Error('rejected on request'));
    },
    exit: () => process.exit(3),
    block: () => {
      for (;;);
    },
    hoard: () => {
      for (;;) hoard.push(Array.from({ length: 10_000 }, () => ({})));
    },
    hide: assign({ secret: () => () => {} }),
    announce: emit(({ context }) => ({ type: 'announced' as const, count: context.count })),
    forward: sendTo(
      ({ system, event }) => system.get(event.type === 'forward' ? event.path : '') as never,
      ({ event }) => (event.type === 'forward' ? event.event : { type: 'never' }) as never,
    ),
  },
});

const misbehaviour = {
  count: { actions: 'count' },
  crash: { actions: 'crash' },
  reject: { actions: 'reject' },
  exit: { actions: 'exit' },
  block: { actions: 'block' },
  hoard: { actions: 'hoard' },
  hide: { actions: 'hide' },
  announce: { actions: 'announce' },
  forward: { actions: 'forward' },
  ask: { actions: 'tellCount' },
} as const;

/** Stops when told to. */
export const probeMachine = probe.createMachine({
  id: 'probe',
  context: ({ input }) => ({ count: input.start ?? 0 }),
  initial: 'up',
  output: ({ context }) => ({ count: context.count }),
  on: misbehaviour,
  states: {
    up: { tags: 'open', on: { finish: 'finished', stop: 'finished' } },
    finished: { type: 'final' },
  },
});

/** Hears `stop` and goes on. */
export const deafProbeMachine = probe.createMachine({
  id: 'deaf',
  context: { count: 0 },
  initial: 'up',
  on: { ...misbehaviour, stop: { actions: 'count' } },
  states: { up: {} },
});

/** Knows no `stop`. */
export const plainMachine = setup({}).createMachine({
  id: 'plain',
  initial: 'up',
  states: { up: {} },
});

export const doublePromise = fromPromise<number, number>(({ input }) => Promise.resolve(input * 2));

export const notLogic = 42;
