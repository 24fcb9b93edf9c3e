/** Binds the sync loop: who is due is in the store and in the pacer, and each session gets an actor. */
import { fromPromise } from 'xstate';
import { crash } from '../../machines/kernel/unbound.ts';
import { sinceOf } from '../../machines/gossip/session-rules.ts';
import {
  QUERY_INTERVAL_MS,
  REQUESTERS_MAX,
  START_SPREAD_MS,
} from '../../machines/gossip/session-limits.ts';
import { syncMachine } from '../../machines/gossip/sync.machine.ts';
import type { SyncChoice, SyncStart } from '../../machines/gossip/sync.machine.ts';
import { childSpec } from '../../supervisor/index.ts';
import { REQUESTERS_ID, SYNC_ID, requesterPath } from './paths.ts';
import type { OpenSession } from './ports/peer-store.ts';
import type { GossipPorts } from './ports/services.ts';
import { QueryPacer } from './query-pacer.ts';
import { requesterChildSpec } from './requester.actor.ts';
import type { SessionStart, createRequesterLogic } from './requester.actor.ts';

type Provided = NonNullable<Parameters<typeof syncMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;

/** 128 bits: nobody else's session can be meant. */
const SESSION_ID_BYTES = 16;
/** A requester that was restarted for so long is given up by its supervisor, too. */
const LOST_AFTER_MS = 120_000;

/** The sessions that have an actor: each peer at most one. */
class Running {
  readonly #peers = new Map<string, { readonly unwatch: () => void; lostAtMs: number | null }>();
  readonly #clock: GossipPorts['clock'];

  constructor(clock: GossipPorts['clock']) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#peers.size;
  }

  add(peer: string, unwatch: () => void): void {
    this.#peers.set(peer, { unwatch, lostAtMs: null });
  }

  remove(peer: string): void {
    this.#peers.get(peer)?.unwatch();
    this.#peers.delete(peer);
  }

  /** It crashed and will be restarted, or was. */
  note(peer: string, isUp: boolean): void {
    const one = this.#peers.get(peer);
    if (one) one.lostAtMs = isUp ? null : this.#clock.monotonicNow();
  }

  /** False also of one that crashed and never came back. */
  has(peer: string): boolean {
    const lostAtMs = this.#peers.get(peer)?.lostAtMs;
    if (lostAtMs === undefined) return false;
    if (lostAtMs === null || this.#clock.monotonicNow() - lostAtMs < LOST_AFTER_MS) return true;
    this.remove(peer);
    return false;
  }
}

export function createSyncLogic(
  ports: GossipPorts,
  requester: ReturnType<typeof createRequesterLogic>,
) {
  const { clock, store } = ports;
  const pacer = new QueryPacer(clock);
  const running = new Running(clock);

  const choosePeers = async (): Promise<SyncChoice> => {
    const records = await store.peers();
    pacer.keepOnly(new Set(records.map(({ peerId }) => peerId)));
    const starts: SyncStart[] = [];
    let waitMs = QUERY_INTERVAL_MS;
    for (const { peerId, queriedAtMs, completedAtMs, open } of records) {
      if (running.has(peerId)) continue;
      const dueInMs = open === null ? pacer.dueInMs({ peerId, queriedAtMs }) : 0;
      if (dueInMs > 0) waitMs = Math.min(waitMs, dueInMs);
      else if (running.size + starts.length < REQUESTERS_MAX)
        starts.push({ peer: peerId, completedAtMs, open });
    }
    return { starts, waitMs };
  };

  const actors: Bindings = {
    crash,
    choosePeers: fromPromise(choosePeers),
    startSessions: fromPromise(async ({ input: { starts } }) => {
      for (const one of starts) {
        const session = await openSession(ports, one);
        pacer.asked(one.peer);
        await startRequester(ports, requester, running, {
          ...session,
          peer: one.peer,
          spreadMs: Math.floor(ports.random.fraction() * START_SPREAD_MS),
          isContinued: one.open !== null,
        });
      }
    }),
  };
  return syncMachine.provide({ actors });
}

/** Durable before the first question: a crash in between costs a query, and never asks twice. */
async function openSession(
  { clock, random, store, counters }: GossipPorts,
  { peer, completedAtMs, open }: SyncStart,
): Promise<OpenSession> {
  if (open !== null) return open;
  const startedAtMs = clock.now();
  const session = {
    sessionId: random.hex(SESSION_ID_BYTES),
    startedAtMs,
    sinceMs: sinceOf(startedAtMs, completedAtMs),
  };
  await store.openSession(peer, session);
  counters.count('sessionsStarted');
  return session;
}

async function startRequester(
  ports: GossipPorts,
  requester: ReturnType<typeof createRequesterLogic>,
  running: Running,
  start: SessionStart,
): Promise<void> {
  const { tree, root, notice } = ports;
  const { peer } = start;
  const supervisor = `${root}/${REQUESTERS_ID}`;
  const ended = (): void => {
    running.remove(peer);
    tree
      .deleteChild(supervisor, peer)
      .catch((error: unknown) => notice(`forgetting the requester of ${peer}`, error))
      .finally(() => tree.send(`${root}/${SYNC_ID}`, { type: 'session.ended', peer }));
  };
  const unwatch = tree.watch(requesterPath(root, peer), ({ type, reason }) => {
    const isFailed = reason?.type === 'error' || reason?.type === 'killed';
    if (type === 'up' || isFailed) running.note(peer, type === 'up');
    else ended();
  });
  running.add(peer, unwatch);
  try {
    const started = await tree.startChild(supervisor, requesterChildSpec(requester, start, ports));
    if (!started.ok) running.remove(peer);
  } catch (error) {
    running.remove(peer);
    throw error;
  }
}

/** Permanent; sessions live on without it. */
export const syncChildSpec = (logic: ReturnType<typeof createSyncLogic>) =>
  childSpec({
    id: SYNC_ID,
    logic,
    backoff: { minMs: 100, maxMs: 15_000, factor: 2, jitter: 0.2, resetAfterMs: 60_000 },
  });
