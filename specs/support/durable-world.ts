/** Programs with durable actors that die and are started again on the same disk. */
import { assign, emit, setup } from 'xstate';
import type { AnyActorLogic } from 'xstate';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { unboundAction } from '../../machines/kernel/unbound.ts';
import type {
  ChildSpec,
  ResumeOptions,
  SupervisorSpec,
  TreeOptions,
} from '../../supervisor/index.ts';
import { MemoryJournal } from './memory-journal.ts';
import { SupervisedWorld, child, typesOf } from './supervised.ts';
import { settle } from './virtual-clock.ts';

/** What machines of these worlds did to the world, in order. */
export type Told = (what: string) => void;

/** A counter that tells the world, and that crashes on request. */
export const tallyMachine = setup({
  types: typesOf<{
    context: { readonly count: number };
    events:
      | { type: 'add'; by: number }
      | { type: 'throw' }
      | { type: 'crash' }
      | { type: 'finish' };
    emitted: { type: 'added'; count: number };
  }>(),
  actions: {
    tell: unboundAction<{ readonly count: number }>('tell'),
    crash: () => {
      throw new Error('crashed in an effect');
    },
  },
}).createMachine({
  id: 'tally',
  context: { count: 0 },
  initial: 'open',
  states: {
    open: {
      on: {
        add: {
          actions: [
            assign({ count: ({ context, event }) => context.count + event.by }),
            { type: 'tell', params: ({ context }) => ({ count: context.count }) },
            emit(({ context }) => ({ type: 'added', count: context.count }) as const),
          ],
        },
        throw: {
          actions: [
            { type: 'tell', params: { count: -1 } },
            assign(() => {
              throw new Error('crashed in a turn');
            }),
          ],
        },
        crash: { actions: 'crash' },
        finish: 'closed',
      },
    },
    closed: { type: 'final' },
  },
});

/** The tally, with its `tell` bound. */
export const tallyThat = (told: Told) =>
  tallyMachine.provide({
    actions: { tell: (_, { count }) => told(`told ${count}`) },
  });

/** A durable child named `a`. */
export const durable = (
  logic: AnyActorLogic,
  resume: 'snapshot' | ResumeOptions = 'snapshot',
  more: Partial<ChildSpec> = {},
): ChildSpec => child('a', { logic, resume, ...more });

/** A tree on that journal, up. Its clock goes on from `nowMs`. */
export async function program(
  journal: MemoryJournal,
  children: readonly ChildSpec[],
  options: Partial<TreeOptions> = {},
  root: Partial<SupervisorSpec> = { intensity: 100 },
): Promise<SupervisedWorld> {
  const world = new SupervisedWorld(children, root, { journal, ...options });
  await world.tree.start();
  await settle();
  return world;
}

/** The same disk in the next program, after a crash of this one. */
export const afterCrash = (journal: MemoryJournal): MemoryJournal =>
  new MemoryJournal(journal.image());

/** The context of `root/a`. */
export const contextOf = ({ tree }: SupervisedWorld): unknown =>
  (tree.snapshotOf('root/a') as { context?: unknown } | undefined)?.context;

/** The code with which a promise rejects, or `resolved`. */
export const outcomeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => codeOf(error) ?? String(error),
  );
