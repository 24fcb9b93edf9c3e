/** Binds the asking side of a session to the relay, the store, the verifier and the reconciler. */
import { fromPromise } from 'xstate';
import { CodedError, codeOf } from '../../machines/kernel/coded-error.ts';
import { crash } from '../../machines/kernel/unbound.ts';
import { NEGENTROPY } from '../../machines/gossip/meta-message.schema.ts';
import type {
  MeshAvailable,
  MeshDelivery,
  MeshRequest,
  MessageRequest,
} from '../../machines/gossip/meta-message.schema.ts';
import { requesterMachine } from '../../machines/gossip/requester.machine.ts';
import type {
  Accepted,
  AvailableQuestion,
  Missing,
  StoredCounts,
} from '../../machines/gossip/requester-setup.ts';
import type { Posted, SessionOutcome } from '../../machines/gossip/session-rules.ts';
import { childSpec } from '../../supervisor/index.ts';
import type { GossipTally } from './counters.ts';
import { examine } from './examine.ts';
import type { Delivered } from './examine.ts';
import type { OpenSession, Settlement } from './ports/peer-store.ts';
import type { GossipPorts } from './ports/services.ts';
import { sendMeta } from './send-meta.ts';
import { backfill, settle } from './settle.ts';

type Provided = NonNullable<Parameters<typeof requesterMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;

/** A session that is to begin, or to go on. */
export interface SessionStart extends OpenSession {
  readonly peer: string;
  readonly spreadMs: number;
  /** It was open when the program ended. */
  readonly isContinued: boolean;
}

const TALLY_OF: Readonly<Record<SessionOutcome, GossipTally>> = {
  done: 'sessionsDone',
  refused: 'sessionsRefused',
  timedOut: 'sessionsTimedOut',
  misbehaved: 'sessionsMisbehaved',
};

/** Nothing is known of a delivery that could not be looked at now: it is asked for again. */
const UNDECIDED: Accepted = { settlement: {}, settled: [], refused: 0, duplicates: 0 };

async function findMissing(
  { store, reconciler, counters, notice }: GossipPorts,
  session: string,
  page: MeshAvailable | null,
): Promise<Missing> {
  if (page === null) return { type: 'found', missing: [], frame: null };
  if (page.reconcile === undefined) {
    const missing = await store.missingOf([...new Set(page.message_ids)]);
    return { type: 'found', missing, frame: null };
  }
  try {
    if (reconciler === null) return { type: 'malformed', code: 'MESH_ERR_GOSSIP_UNSOLICITED' };
    const { need, next } = await reconciler.reconcile(session, page.reconcile);
    return { type: 'found', missing: await store.missingOf([...new Set(need)]), frame: next };
  } catch (error) {
    if (codeOf(error) !== 'MESH_ERR_RECONCILE_FRAME') throw error;
    counters.refuse('MESH_ERR_RECONCILE_FRAME', page.peer_id);
    notice(`reconciling with ${page.peer_id}`, error);
    return { type: 'malformed', code: 'MESH_ERR_RECONCILE_FRAME' };
  }
}

async function askAvailable(
  ports: GossipPorts,
  { peer, session, cursor, since, frame, reconciles }: AvailableQuestion,
  signal: AbortSignal,
): Promise<Posted> {
  const { reconciler, signer } = ports;
  const sent =
    reconciles && reconciler !== null ? (frame ?? (await reconciler.initiate(session))) : undefined;
  const request: MessageRequest = {
    type: 'message_request',
    peer_id: signer.peerId,
    session_id: session,
    since_timestamp: since,
    cursor,
    capabilities: reconciler === null ? [] : [NEGENTROPY],
    ...(sent === undefined ? {} : { reconcile: sent }),
  };
  return sendMeta(ports, peer, request, signal);
}

async function verifyDelivery(
  ports: GossipPorts,
  peer: string,
  { asked, delivery }: { readonly asked: readonly string[]; readonly delivery: MeshDelivery },
  signal: AbortSignal,
): Promise<Accepted> {
  const wanted = new Set(asked);
  const delivered: Delivered = {
    from: peer,
    items: delivery.envelopes,
    senderKeys: delivery.sender_keys,
    refusalOf: ({ message_id: id, kind }) => {
      if (kind !== 'public') return 'MESH_ERR_GOSSIP_NOT_PUBLIC';
      return wanted.has(id) ? null : 'MESH_ERR_GOSSIP_UNSOLICITED';
    },
  };
  try {
    return await examine(ports, delivered, signal);
  } catch (error) {
    if (!isPoolBusy(error)) throw error;
    ports.notice(`verifying a delivery of ${peer}`, error);
    return UNDECIDED;
  }
}

async function storeAccepted(
  ports: GossipPorts,
  { settlement, refused, duplicates }: Accepted,
  signal: AbortSignal,
): Promise<StoredCounts> {
  if (!isSettlement(settlement)) return { stored: 0, quarantined: 0, duplicates, refused };
  const counts = await settle(ports, settlement);
  let isMore = Object.keys(settlement.keys).length > 0;
  while (isMore && !signal.aborted) isMore = await backfill(ports, signal);
  return {
    ...counts,
    duplicates: counts.duplicates + duplicates,
    refused: counts.refused + refused,
  };
}

export function createRequesterLogic(ports: GossipPorts) {
  const { store, signer, reconciler, counters } = ports;
  const actors: Bindings = {
    crash,
    askAvailable: fromPromise(({ input, signal }) => askAvailable(ports, input, signal)),
    findMissing: fromPromise(({ input: { session, page } }) => findMissing(ports, session, page)),
    askMessages: fromPromise(({ input: { peer, session, cursor, ids }, signal }) => {
      const request: MeshRequest = {
        type: 'mesh_request',
        peer_id: signer.peerId,
        session_id: session,
        cursor,
        message_ids: [...ids],
      };
      return sendMeta(ports, peer, request, signal);
    }),
    verifyDelivery: fromPromise(async ({ input: { peer, asked, delivery }, signal }) =>
      delivery === null ? UNDECIDED : verifyDelivery(ports, peer, { asked, delivery }, signal),
    ),
    storeAccepted: fromPromise(({ input: { accepted }, signal }) =>
      storeAccepted(ports, accepted ?? UNDECIDED, signal),
    ),
    closeSession: fromPromise(async ({ input: { peer, session, outcome } }) => {
      await store.closeSession(peer, session, outcome);
      reconciler?.forget(session);
      counters.count(TALLY_OF[outcome]);
      if (outcome === 'timedOut') counters.refuse('MESH_ERR_GOSSIP_SILENT', peer);
      if (outcome === 'misbehaved') counters.refuse('MESH_ERR_GOSSIP_MISBEHAVED', peer);
    }),
  };
  return requesterMachine.provide({ actors });
}

/** A settlement is the binding's own, so only its absence is looked for. */
const isSettlement = (settlement: object): settlement is Settlement => 'verified' in settlement;

/** The pool has no room now; what a crash would ask again anyway is asked again at once. */
const isPoolBusy = (error: unknown): boolean =>
  error instanceof CodedError && error.retryable && error.code.startsWith('MESH_ERR_POOL_');

/**
 * `transient`, and continued from the journal. What happens in half a second may be lost: then the session
 * asks a question twice, or closes as `timedOut`, and the store has lost nothing.
 */
export const requesterChildSpec = (
  logic: ReturnType<typeof createRequesterLogic>,
  { peer, sessionId, startedAtMs, sinceMs, spreadMs, isContinued }: SessionStart,
  { reconciler }: Pick<GossipPorts, 'reconciler'>,
) =>
  childSpec({
    id: peer,
    logic,
    input: ({ incarnation }) => ({
      peer,
      session: sessionId,
      startedAtMs,
      sinceMs,
      spreadMs,
      reconciles: reconciler !== null,
      isContinued: isContinued || incarnation > 1,
    }),
    restart: 'transient',
    resume: {
      from: 'snapshot',
      durability: { everyMs: 500, everyEvents: 64 },
      // A record of another session, which had ended just before the program did, is none to go on from;
      // versions that are no numbers match or do not.
      version: `session-${sessionId}`,
      failuresMax: 1,
    },
    backoff: { minMs: 200, maxMs: 30_000, factor: 2, jitter: 0.2, resetAfterMs: 60_000 },
  });
