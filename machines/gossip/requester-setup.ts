/** The names of the requester's chart: what it knows, what it asks for, and how it judges an answer. */
import { assign, setup } from 'xstate';
import { crash, unbound } from '../kernel/unbound.ts';
import type { GossipErrorCode } from './gossip-errors.ts';
import { REQUESTED_IDS_MAX } from './limits.ts';
import type { MeshAvailable, MeshDelivery } from './meta-message.schema.ts';
import { answersThis, deliversThis, isPageAbsurd, roundMark } from './session-rules.ts';
import type { Posted, SessionOutcome } from './session-rules.ts';
import { ANSWER_TIMEOUT_MS, ATTEMPTS_MAX, PAGES_MAX, STEP_TIMEOUT_MS } from './session-limits.ts';

/** What a session is begun with. */
export interface RequesterInput {
  /** Who is asked. */
  readonly peer: string;
  readonly session: string;
  readonly startedAtMs: number;
  readonly sinceMs: number;
  /** How long it waits before its first question, so that peers do not ask in step. */
  readonly spreadMs: number;
  /** Begin by reconciling; a peer that cannot answers with a page. */
  readonly reconciles: boolean;
  /** It had begun before. From a snapshot it goes on; without one it closes, rather than ask anew. */
  readonly isContinued: boolean;
}

/** What a session came to, in messages. */
export interface SessionTally {
  readonly stored: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly refused: number;
  /** Announced, and not to be had any more. */
  readonly gone: number;
  /** Announced, asked for again and again, and never delivered. */
  readonly skipped: number;
}

export interface RequesterContext extends RequesterInput {
  /** Of the question that is asked now: a page's, or the mark of a round. */
  readonly cursor: string | null;
  /** What was answered and not yet looked through. */
  readonly page: MeshAvailable | null;
  /** Of the present page, in the order of the answer. */
  readonly missing: readonly string[];
  /** The frame of the next round; null when there is nothing to reconcile any more. */
  readonly frame: string | null;
  readonly isReconciling: boolean;
  /** Times that the present question was asked. */
  readonly attempts: number;
  /** Pages and rounds. */
  readonly pages: number;
  /** Requests for messages that came to something, or were given up. */
  readonly requests: number;
  readonly delivery: MeshDelivery | null;
  readonly accepted: Accepted | null;
  readonly tally: SessionTally;
  readonly outcome: SessionOutcome;
  /** Why it is not done. */
  readonly code: string | null;
  /** What this actor gives up over. */
  readonly crash: string;
}

export type RequesterEvent =
  | { type: 'available.received'; answer: MeshAvailable }
  | { type: 'delivery.received'; answer: MeshDelivery };

export interface RequesterOutput {
  readonly outcome: SessionOutcome;
  readonly code: string | null;
  readonly tally: SessionTally;
}

/** What looking through a page found. */
export type Missing =
  | { readonly type: 'found'; readonly missing: readonly string[]; readonly frame: string | null }
  | { readonly type: 'malformed'; readonly code: string };

/** What a delivery is worth; `settlement` is the binding's, plain JSON. */
export interface Accepted {
  readonly settlement: object;
  /** Ids of the asked ones about which something is known now, good or bad. */
  readonly settled: readonly string[];
  readonly refused: number;
  readonly duplicates: number;
}

/** What storing a delivery came to. */
export interface StoredCounts {
  readonly stored: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly refused: number;
}

/** A question for the messages of one page. */
type Ask = { peer: string; session: string; cursor: string | null };
/** A question for a page, or for the answer to a frame. */
export type AvailableQuestion = Ask & {
  since: number;
  frame: string | null;
  reconciles: boolean;
};

/** Nothing yet. */
export const NO_TALLY: SessionTally = {
  stored: 0,
  duplicates: 0,
  quarantined: 0,
  refused: 0,
  gone: 0,
  skipped: 0,
};

export const canAskAgain = (attempts: number): boolean => attempts < ATTEMPTS_MAX;
export const hasPagesLeft = (pages: number): boolean => pages < PAGES_MAX;

/** The ids of the next request. */
export const wantedNow = (missing: readonly string[]): readonly string[] =>
  missing.slice(0, REQUESTED_IDS_MAX);

type Progress = Pick<RequesterContext, 'missing' | 'attempts' | 'requests' | 'tally'>;

/** What is still missing, and what was learned: nothing learned is one more attempt. */
export function progressOf(
  { missing, attempts, requests, tally }: Progress,
  settled: readonly string[],
): Progress {
  const known = new Set(settled);
  const left = missing.filter((id) => !known.has(id));
  const next = { attempts: 0, requests: requests + 1 };
  if (left.length < missing.length) return { ...next, missing: left, tally };
  if (canAskAgain(attempts)) return { missing, attempts, requests, tally };
  const given = wantedNow(missing).length;
  const skipped = tally.skipped + given;
  return { ...next, missing: missing.slice(given), tally: { ...tally, skipped } };
}

const addCounts = (tally: SessionTally, counts: StoredCounts, gone: number): SessionTally => ({
  ...tally,
  stored: tally.stored + counts.stored,
  duplicates: tally.duplicates + counts.duplicates,
  quarantined: tally.quarantined + counts.quarantined,
  refused: tally.refused + counts.refused,
  gone: tally.gone + gone,
});

/** The question after the present page: a further page, or a further round. */
export function nextQuestion({
  page,
  pages,
  frame,
}: Pick<RequesterContext, 'page' | 'pages' | 'frame'>): Pick<
  RequesterContext,
  'cursor' | 'page' | 'attempts'
> {
  const cursor = frame === null ? (page?.cursor ?? null) : roundMark(pages);
  return { cursor, page: null, attempts: 0 };
}

const goneOf = ({ missing, delivery }: RequesterContext): readonly string[] => {
  const gone = new Set(delivery?.gone ?? []);
  return wantedNow(missing).filter((id) => gone.has(id));
};

/** See the head of this file. */
export const requesterSetup = setup({
  types: {} as {
    input: RequesterInput;
    context: RequesterContext;
    events: RequesterEvent;
    output: RequesterOutput;
  },
  actors: {
    crash,
    askAvailable: unbound<Posted, AvailableQuestion>('askAvailable'),
    findMissing: unbound<Missing, { session: string; page: MeshAvailable | null }>('findMissing'),
    askMessages: unbound<Posted, Ask & { ids: readonly string[] }>('askMessages'),
    verifyDelivery: unbound<
      Accepted,
      { peer: string; asked: readonly string[]; delivery: MeshDelivery | null }
    >('verifyDelivery'),
    storeAccepted: unbound<StoredCounts, { peer: string; accepted: Accepted | null }>(
      'storeAccepted',
    ),
    closeSession: unbound<void, { peer: string; session: string; outcome: SessionOutcome }>(
      'closeSession',
    ),
  },
  guards: {
    isInterrupted: ({ context }) => context.isContinued,
    isPosted: (_, { posted }: { posted: Posted }) => posted.type === 'posted',
    isLost: (_, { posted }: { posted: Posted }) => posted.type === 'lost',
    isAnswer: ({ context }, { answer }: { answer: MeshAvailable }) => answersThis(answer, context),
    isAbsurd: ({ context }, { answer }: { answer: MeshAvailable }) =>
      answersThis(answer, context) && isPageAbsurd(answer),
    isDelivery: ({ context }, { answer }: { answer: MeshDelivery }) =>
      deliversThis(answer, context),
    isFound: (_, { found }: { found: Missing }) => found.type === 'found',
    canAskAgain: ({ context }) => canAskAgain(context.attempts),
    isMissingSome: ({ context }) => context.missing.length > 0,
    isBeyondPages: ({ context }) => !hasPagesLeft(context.pages),
    isAtEnd: ({ context }) => context.frame === null && context.page?.end !== false,
    hasSkipped: ({ context }) => context.tally.skipped > 0,
    isOutcome: ({ context }, { outcome }: { outcome: SessionOutcome }) =>
      context.outcome === outcome,
  },
  actions: {
    countAttempt: assign({ attempts: ({ context }) => context.attempts + 1 }),
    assignLoss: assign((_, { posted }: { posted: Posted }) => ({
      code: posted.type === 'posted' ? null : posted.code,
    })),
    assignPage: assign(({ context }, { answer }: { answer: MeshAvailable }) => ({
      page: answer,
      pages: context.pages + 1,
      attempts: 0,
      code: null,
      isReconciling: answer.reconcile !== undefined,
    })),
    assignMissing: assign((_, { found }: { found: Missing }) =>
      found.type === 'found' ? { missing: found.missing, frame: found.frame } : {},
    ),
    assignDelivery: assign((_, { answer }: { answer: MeshDelivery }) => ({
      delivery: answer,
      code: null,
    })),
    assignAccepted: assign((_, { accepted }: { accepted: Accepted }) => ({ accepted })),
    assignProgress: assign(({ context }, { counts }: { counts: StoredCounts }) => {
      const gone = goneOf(context);
      const tally = addCounts(context.tally, counts, gone.length);
      const settled = [...(context.accepted?.settled ?? []), ...gone];
      return { ...progressOf({ ...context, tally }, settled), delivery: null, accepted: null };
    }),
    assignNext: assign(({ context }) => nextQuestion(context)),
    assignRefusal: assign((_, { posted }: { posted: Posted }) => ({
      outcome: 'refused' as const,
      code: posted.type === 'posted' ? null : posted.code,
    })),
    assignSilence: assign(({ context }) => ({
      outcome: 'timedOut' as const,
      code: context.code ?? ('MESH_ERR_GOSSIP_SILENT' satisfies GossipErrorCode),
    })),
    assignInterruption: assign({
      outcome: 'timedOut',
      code: 'MESH_ERR_GOSSIP_INTERRUPTED' satisfies GossipErrorCode,
    }),
    assignMisbehaviour: assign({
      outcome: 'misbehaved',
      code: 'MESH_ERR_GOSSIP_MISBEHAVED' satisfies GossipErrorCode,
    }),
    assignCrash: assign((_, { message }: { message: string }) => ({ crash: message })),
  },
  delays: { spread: ({ context }) => context.spreadMs, ANSWER_TIMEOUT_MS, STEP_TIMEOUT_MS },
});
