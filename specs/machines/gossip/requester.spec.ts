import { describe, expect, it } from 'vitest';
import { initialTransition, transition } from 'xstate';
import { requesterMachine } from '../../../machines/gossip/requester.machine.ts';
import { nextQuestion, progressOf, NO_TALLY } from '../../../machines/gossip/requester-setup.ts';
import type { RequesterEvent } from '../../../machines/gossip/requester-setup.ts';
import { ATTEMPTS_MAX, PAGES_MAX } from '../../../machines/gossip/session-limits.ts';
import { available, idOf, requesterInput } from '../../support/gossip/samples.ts';

type Told = { readonly type: string; readonly output?: unknown };

/** A requester without an actor, that is told what its effects and its clock would say. */
function createPure() {
  let [snapshot] = initialTransition(requesterMachine, requesterInput());
  return {
    tell: (...events: readonly Told[]): void => {
      for (const event of events)
        [snapshot] = transition(requesterMachine, snapshot, event as RequesterEvent);
    },
    get value() {
      return snapshot.value;
    },
    get context() {
      return snapshot.context;
    },
  };
}

const done = (state: string, output: unknown): Told => ({
  type: `xstate.done.actor.0.requester.${state}`,
  output,
});
const POSTED = done('opening', { type: 'posted' });
const NOTHING = done('deduplicating', { type: 'found', missing: [], frame: null });

describe('requester', () => {
  it('gives up a peer whose pages have no end, after as many as a million ids take twice', () => {
    const requester = createPure();
    requester.tell({ type: 'xstate.after.spread.requester.idle' });
    let pages = 0;
    for (; requester.value === 'opening'; pages++) {
      const answers = requester.context.cursor;
      const answer = available({ answers, cursor: `page-${pages}`, end: false });
      requester.tell(POSTED, { type: 'available.received', answer } as Told, NOTHING);
    }
    expect([pages, requester.value]).toEqual([PAGES_MAX, 'closing']);
    expect(requester.context).toMatchObject({
      outcome: 'misbehaved',
      code: 'MESH_ERR_GOSSIP_MISBEHAVED',
    });
  });

  it('takes an answer once, and only the one to the question that it asked last', () => {
    const requester = createPure();
    requester.tell({ type: 'xstate.after.spread.requester.idle' }, POSTED);
    const first = { type: 'available.received', answer: available({ cursor: '2', end: false }) };
    requester.tell(first, NOTHING, POSTED);
    expect([requester.value, requester.context.cursor]).toEqual(['awaitingAvailable', '2']);
    requester.tell(first);
    expect([requester.value, requester.context.pages]).toEqual(['awaitingAvailable', 1]);
  });

  it.each([
    ['leads back to itself', available({ answers: null, cursor: null, end: false })],
    ['is empty and not the last', available({ message_ids: [], cursor: '2', end: false })],
  ])('gives up a peer whose page %s', (_, answer) => {
    const requester = createPure();
    requester.tell({ type: 'xstate.after.spread.requester.idle' }, POSTED);
    requester.tell({ type: 'available.received', answer } as Told);
    expect([requester.value, requester.context.outcome]).toEqual(['closing', 'misbehaved']);
  });

  it('closes a session that it cannot continue, without asking anything', () => {
    const [snapshot] = initialTransition(requesterMachine, requesterInput({ isContinued: true }));
    expect(snapshot.value).toBe('closing');
    expect(snapshot.context).toMatchObject({
      outcome: 'timedOut',
      code: 'MESH_ERR_GOSSIP_INTERRUPTED',
    });
  });
});

describe('progressOf', () => {
  const missing = [idOf('1'), idOf('2')];
  const asked = { missing, attempts: 0, requests: 0, tally: NO_TALLY };

  it('asks for what is left with fresh attempts when something was learned', () => {
    const progress = progressOf({ ...asked, attempts: 3 }, [idOf('1')]);
    expect(progress).toEqual({ ...asked, missing: [idOf('2')], requests: 1 });
  });

  it('skips what is never delivered, so that it does not keep what follows from coming', () => {
    const progress = progressOf({ ...asked, attempts: ATTEMPTS_MAX }, []);
    const tally = { ...NO_TALLY, skipped: 2 };
    expect(progress).toEqual({ missing: [], attempts: 0, requests: 1, tally });
  });
});

describe('nextQuestion', () => {
  it('is a further page, or a round with a mark of its own', () => {
    const page = available({ cursor: '2', end: false });
    expect(nextQuestion({ page, pages: 1, frame: null }).cursor).toBe('2');
    expect(nextQuestion({ page, pages: 1, frame: '61' }).cursor).toBe('round-1');
  });
});
