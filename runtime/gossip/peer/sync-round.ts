/** One round of asking other peers, as somebody who waits for it sees it. */
import { SYNC_ID } from '../../../actors/gossip/paths.ts';
import type { PeerRecord, PeerStore } from '../../../actors/gossip/ports/peer-store.ts';
import { restOfInterval } from '../../../machines/gossip/session-rules.ts';
import type { Clock } from '../../../machines/kernel/clock.ts';
import type { Tree } from '../../../supervisor/index.ts';
import { findPeer } from './desk.ts';
import type { SyncPeer, SyncStep } from './peer-control.ts';
import type { SessionNotes } from './session-notes.ts';

/** What a round looks at. */
export interface RoundParts {
  readonly store: PeerStore;
  readonly tree: Pick<Tree, 'send'>;
  readonly root: string;
  readonly clock: Clock;
  readonly notes: SessionNotes;
}

/** A step shows at most so often. */
const LOOK_MS = 50;
/** A session that was due and has not begun by then waits for something that this round cannot know. */
const BEGIN_MS = 60_000;

/** Which session a peer had when the round began. */
interface Begin {
  readonly session: string | undefined;
  readonly queriedAtMs: number | null;
}

/** Steps, each different from the one before, until every peer's session has ended. */
export async function* syncRound(
  parts: RoundParts,
  { peer }: { readonly peer?: string },
  signal?: AbortSignal,
): AsyncGenerator<SyncStep> {
  const { store, tree, root, clock, notes } = parts;
  const only = peer === undefined ? undefined : (await findPeer(store, peer)).peerId;
  const wanted = async (): Promise<PeerRecord[]> =>
    (await store.peers()).filter(({ peerId }) => only === undefined || peerId === only);
  const begins = new Map<string, Begin>();
  for (const { peerId, queriedAtMs } of await wanted())
    begins.set(peerId, { session: notes.last(peerId)?.session, queriedAtMs });
  tree.send(`${root}/${SYNC_ID}`, { type: 'sync' });
  const giveUpMs = clock.monotonicNow() + BEGIN_MS;
  let last = '';
  for (;;) {
    const isLate = clock.monotonicNow() > giveUpMs;
    const peers = (await wanted()).flatMap((record) => {
      const begin = begins.get(record.peerId);
      return begin === undefined ? [] : [stepOf(parts, record, begin, isLate)];
    });
    const step = { peers, isEnded: peers.every(({ state }) => state === 'ended') };
    const text = JSON.stringify(step);
    if (text !== last) yield step;
    last = text;
    if (step.isEnded || signal?.aborted === true) return;
    await pause(clock);
  }
}

function stepOf(
  { notes, clock }: RoundParts,
  { peerId, name, queriedAtMs, open }: PeerRecord,
  begin: Begin,
  isLate: boolean,
): SyncPeer {
  const none = { peerId, name, outcome: null, stored: 0, missing: 0, refused: 0 };
  const now = notes.now(peerId);
  if (now !== undefined) {
    const { stored, refused } = now.tally;
    return { ...none, state: now.state, stored, refused, missing: now.missing };
  }
  const ended = notes.last(peerId);
  if (open === null && ended !== undefined && ended.session !== begin.session)
    return {
      ...none,
      state: 'ended',
      outcome: ended.outcome,
      stored: ended.tally?.stored ?? 0,
      refused: ended.tally?.refused ?? 0,
    };
  const rest = restOfInterval(clock.now(), queriedAtMs);
  const isRecent = open === null && queriedAtMs === begin.queriedAtMs && rest > 0;
  // One that is open has an actor, or will have one when it is its turn.
  return isRecent || (isLate && open === null)
    ? { ...none, state: 'ended', outcome: isRecent ? 'interval' : 'late' }
    : { ...none, state: 'waiting' };
}

const pause = (clock: Clock): Promise<void> =>
  new Promise((resolve) => {
    clock.setTimeout(resolve, LOOK_MS);
  });
