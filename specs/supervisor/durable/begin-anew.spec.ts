import { assign, setup } from 'xstate';
import { describe, expect, it } from 'vitest';
import type { Past, ResumeOptions } from '../../../supervisor/index.ts';
import { afterCrash, contextOf, durable, program } from '../../support/durable-world.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import { typesOf } from '../../support/supervised.ts';
import { VirtualClock, settle } from '../../support/virtual-clock.ts';

interface Door {
  readonly knocks: number;
  readonly leftMs: number | null;
  readonly seed: string;
}

/** Looks around first, and knocks again after a wait. */
const doorMachine = setup({
  types: typesOf<{
    context: Door;
    input: Door;
    events: { type: 'knock' } | { type: 'throw' } | { type: 'finish' };
  }>(),
}).createMachine({
  id: 'door',
  context: ({ input }) => input,
  initial: 'looking',
  states: {
    looking: {
      on: {
        knock: {
          target: 'waiting',
          actions: assign({ knocks: ({ context }) => context.knocks + 1 }),
        },
        finish: 'closed',
        throw: {
          actions: assign(() => {
            throw new Error('crashed in a turn');
          }),
        },
      },
    },
    waiting: { after: { 10_000: 'looking' } },
    closed: { type: 'final' },
  },
});

const remember = ({ snapshot, input, leftMs }: Past): Door => ({
  ...(input as Door),
  knocks: (snapshot as { context: Door }).context.knocks,
  leftMs: leftMs('xstate.after.10000') ?? null,
});

const door = (resume: Partial<ResumeOptions> = {}) =>
  durable(
    doorMachine,
    { from: 'snapshot', beginAnew: remember, ...resume },
    {
      input: () => ({ knocks: 0, leftMs: null, seed: 'fresh' }),
    },
  );

const stateOf = ({ tree }: Awaited<ReturnType<typeof program>>): unknown =>
  (tree.snapshotOf('root/a') as { value?: unknown } | undefined)?.value;

async function knockedOnce() {
  const journal = new MemoryJournal();
  const world = await program(journal, [door()]);
  await world.tell('a', 'knock');
  await world.clock.advance(4_000);
  return { journal, world };
}

describe('a durable actor that begins anew', () => {
  it('starts in its initial state with what it knew and what was left of its wait', async () => {
    const { journal, world } = await knockedOnce();
    const clock = new VirtualClock(world.clock.now() + 1_000);
    await using next = await program(afterCrash(journal), [door()], { clock });
    expect(stateOf(next)).toBe('looking');
    expect(contextOf(next)).toEqual({ knocks: 1, leftMs: 5_000, seed: 'fresh' });
    // The wait was for the machine to set again.
    expect(clock.pending).toBe(0);
  });

  it('keeps what it knew over a second end before anything happened', async () => {
    const { journal } = await knockedOnce();
    const disk = afterCrash(journal);
    await program(disk, [door()]);
    await using next = await program(afterCrash(disk), [door()]);
    expect(contextOf(next)).toMatchObject({ knocks: 1 });
  });

  it('does so after its own crash, too', async () => {
    const { world } = await knockedOnce();
    await world.clock.advance(10_000);
    await world.tell('a', 'throw');
    await settle();
    expect(contextOf(world)).toEqual({ knocks: 1, leftMs: null, seed: 'fresh' });
  });

  it('starts fresh after its end, and where there is no record', async () => {
    const { journal, world } = await knockedOnce();
    await world.clock.advance(10_000);
    await world.tell('a', 'finish');
    await using next = await program(afterCrash(journal), [door()]);
    expect(contextOf(next)).toEqual({ knocks: 0, leftMs: null, seed: 'fresh' });
  });

  it('starts fresh when its past cannot be read, and the record is set aside', async () => {
    const { journal } = await knockedOnce();
    const disk = afterCrash(journal);
    const beginAnew = (): never => {
      throw new Error('unreadable');
    };
    await using next = await program(disk, [door({ beginAnew })]);
    expect(contextOf(next)).toMatchObject({ knocks: 0 });
    expect(disk.quarantined()).toMatchObject([
      { path: 'root/a', code: 'MESH_ERR_JOURNAL_SNAPSHOT_REFUSED' },
    ]);
  });

  it('is refused when it is no function', async () => {
    const wrong = { beginAnew: 'please' as never };
    await expect(program(new MemoryJournal(), [door(wrong)])).rejects.toMatchObject({
      code: 'MESH_ERR_SUPERVISOR_SPEC_INVALID',
    });
  });
});
