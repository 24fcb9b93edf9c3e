/** What the sessions of this program came to: the store keeps how they ended, not how much they brought. */
import { requesterPath } from '../../../actors/gossip/paths.ts';
import type { PeerStore } from '../../../actors/gossip/ports/peer-store.ts';
import type { RequesterContext, SessionTally } from '../../../machines/gossip/requester-setup.ts';
import type { Tree } from '../../../supervisor/index.ts';
import { stateText } from '../../../supervisor/describe.ts';

/** Peers with a note; one more drops the oldest. */
const NOTES_MAX = 4096;

/** A requester that is at work. */
export interface SessionView {
  readonly session: string;
  readonly state: string;
  readonly tally: SessionTally;
  /** Known to be missing now. */
  readonly missing: number;
}

/** The last session of a peer, after its end. */
export interface SessionNote {
  readonly session: string;
  readonly outcome: string;
  readonly tally: SessionTally | null;
}

export class SessionNotes {
  readonly #tree: Pick<Tree, 'snapshotOf'>;
  readonly #root: string;
  readonly #notes = new Map<string, SessionNote>();

  constructor(tree: Pick<Tree, 'snapshotOf'>, root: string) {
    this.#tree = tree;
    this.#root = root;
  }

  /** The store, with an ear for the end of sessions. */
  listenTo(store: PeerStore): PeerStore {
    return {
      ...store,
      closeSession: async (peerId, session, outcome) => {
        // The requester still stands there: closing the session is its last step.
        this.#note(peerId, { session, outcome, tally: this.now(peerId)?.tally ?? null });
        await store.closeSession(peerId, session, outcome);
      },
    };
  }

  /** The requester of that peer, if one is at work. */
  now(peerId: string): SessionView | undefined {
    const snapshot = this.#tree.snapshotOf(requesterPath(this.#root, peerId)) as
      | { readonly value?: unknown; readonly context?: RequesterContext }
      | undefined;
    if (snapshot?.context === undefined || typeof snapshot.value !== 'string') return undefined;
    const { session, tally, missing } = snapshot.context;
    return { session, state: stateText(snapshot.value), tally, missing: missing.length };
  }

  last(peerId: string): SessionNote | undefined {
    return this.#notes.get(peerId);
  }

  #note(peerId: string, note: SessionNote): void {
    this.#notes.delete(peerId);
    this.#notes.set(peerId, note);
    const oldest = this.#notes.keys().next();
    if (this.#notes.size > NOTES_MAX && !oldest.done) this.#notes.delete(oldest.value);
  }
}
