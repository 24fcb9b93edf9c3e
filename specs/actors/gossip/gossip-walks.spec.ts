/** The machines of a peer, walked with their real bindings on ports that wait for the walker. */
import { GossipCounters } from '../../../actors/gossip/counters.ts';
import { createExpiryLogic } from '../../../actors/gossip/expiry.actor.ts';
import { createInboxLogic } from '../../../actors/gossip/inbox.actor.ts';
import { createOutboxLogic } from '../../../actors/gossip/outbox.actor.ts';
import type { GossipPorts } from '../../../actors/gossip/ports/services.ts';
import { createRequesterLogic } from '../../../actors/gossip/requester.actor.ts';
import { createResponderLogic } from '../../../actors/gossip/responder.actor.ts';
import { createSyncLogic } from '../../../actors/gossip/sync.actor.ts';
import { expiryMachine } from '../../../machines/gossip/expiry.machine.ts';
import { gossipError } from '../../../machines/gossip/gossip-errors.ts';
import { inboxMachine } from '../../../machines/gossip/inbox.machine.ts';
import type { Leased } from '../../../machines/gossip/inbox.machine.ts';
import { outboxMachine } from '../../../machines/gossip/outbox.machine.ts';
import type { Accepted, Missing } from '../../../machines/gossip/requester-setup.ts';
import { requesterMachine } from '../../../machines/gossip/requester.machine.ts';
import { responderMachine } from '../../../machines/gossip/responder.machine.ts';
import type { Admission, Answered } from '../../../machines/gossip/responder.machine.ts';
import type { Posted } from '../../../machines/gossip/session-rules.ts';
import { syncMachine } from '../../../machines/gossip/sync.machine.ts';
import type { SyncChoice } from '../../../machines/gossip/sync.machine.ts';
import { RetryableError, TerminalError } from '../../../machines/kernel/coded-error.ts';
import type { WatchEvent } from '../../../supervisor/index.ts';
import {
  expiryModel,
  idOf,
  inboxModel,
  outboxModel,
  requesterModel,
  responderModel,
  syncModel,
} from '../../support/gossip/samples.ts';
import type { Gates } from '../../support/model/gates.ts';
import { held } from '../../support/model/held.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';
import { seededRandom } from '../../support/supervised.ts';

/** Of a port only what its walk touches. */
type Loose = { readonly [Port in keyof GossipPorts]?: object | null };

const portsOf = (ports: Loose): GossipPorts =>
  ({
    counters: new GossipCounters(),
    random: seededRandom(1),
    root: 'gossip',
    notice: () => undefined,
    clock: { now: () => 0, monotonicNow: () => 0 },
    signer: { peerId: idOf('a'), sign: () => ({}) },
    meta: { encode: () => new Uint8Array() },
    ...ports,
  }) as unknown as GossipPorts;

const unreachable = (): Error => new RetryableError('MESH_ERR_RELAY_UNAVAILABLE', 'It is away.');

/** An effect that posts: what the relay answers, or that it does not. */
const posting = (gates: Gates) => ({
  done: (posted: Posted) => {
    if (posted.type === 'lost') gates.fail('post', unreachable());
    else if (posted.type === 'posted') gates.open('post', [{ type: 'accepted' }]);
    else gates.open('post', [{ ...posted, message: 'No.', retryable: false }]);
  },
  fail: (error: unknown) => gates.fail('post', error),
});

/** What the held effect of that name finds when its gate opens. */
function createFinding<Found>(effect: string, gates: Gates) {
  let found: { readonly value: Found } | { readonly error: unknown } | undefined;
  return {
    take: (): Found => {
      if (found === undefined) throw new Error(`${effect} finds nothing yet.`);
      if ('error' in found) throw found.error;
      return found.value;
    },
    effect: {
      done: (value: Found) => {
        found = { value };
        gates.open(effect, undefined);
      },
      fail: (error: unknown) => {
        found = { error };
        gates.open(effect, undefined);
      },
    },
  };
}

function requesterWorld(gates: Gates) {
  const missing = createFinding<Missing>('findMissing', gates);
  const verified = createFinding<Accepted>('verifyDelivery', gates);
  const stored = createFinding<unknown>('storeAccepted', gates);
  const ports = portsOf({
    relay: { post: (_: unknown, signal: AbortSignal) => gates.wait('post', signal) },
    store: {
      missingOf: async () => {
        const found = missing.take();
        return found.type === 'found' ? found.missing : [];
      },
      settle: async () => {
        stored.take();
        return { verified: [], quarantined: [] };
      },
      keysOf: async () => ({}),
      closeSession: () => gates.wait('closeSession'),
    },
    verifier: {
      open: async () =>
        verified.take().settled.map((messageId) => ({
          ok: false,
          code: 'MESH_ERR_ENVELOPE_EXPIRED',
          messageId,
        })),
    },
    reconciler: {
      initiate: async () => '61',
      reconcile: async () => {
        const found = missing.take();
        if (found.type === 'found') return { need: [], next: found.frame };
        throw new TerminalError('MESH_ERR_RECONCILE_FRAME', 'It is none.');
      },
      forget: () => undefined,
    },
  });
  const effects = ['findMissing', 'verifyDelivery', 'storeAccepted'];
  return {
    logic: held(createRequesterLogic(ports), gates, effects),
    effects: {
      askAvailable: posting(gates),
      askMessages: posting(gates),
      findMissing: missing.effect,
      verifyDelivery: verified.effect,
      storeAccepted: stored.effect,
    },
  };
}

modelWalk(requesterMachine, {
  models: [
    requesterModel(),
    requesterModel({ reconciles: true }),
    requesterModel({ isContinued: true }),
  ],
  bind: requesterWorld,
  // The binding counts for itself, and its settlement is its own.
  essence: ({ tally, accepted, ...context }) => ({
    ...context,
    skipped: tally.skipped,
    settled: accepted?.settled,
  }),
  untaken: {
    'choosing: always → closing':
      'after four thousand pages: see `requester` in specs/machines/gossip/requester.spec.ts',
  },
});

function responderWorld(gates: Gates) {
  const admission = createFinding<Admission>('admitQuestion', gates);
  const ports = portsOf({
    relay: { post: (_: unknown, signal: AbortSignal) => gates.wait('post', signal) },
    store: { publicSince: () => gates.wait('readAnswer') },
    reconciler: null,
  });
  const logic = createResponderLogic(ports, { admit: () => admission.take().isAdmitted });
  return {
    logic: held(logic, gates, ['admitQuestion']),
    effects: {
      admitQuestion: admission.effect,
      readAnswer: {
        done: ({ answer }: Answered) => {
          if (answer === null)
            gates.fail('readAnswer', gossipError('MESH_ERR_GOSSIP_CURSOR', 'It is none.'));
          else gates.open('readAnswer', { ids: [], next: null });
        },
      },
      sendAnswer: posting(gates),
    },
  };
}

modelWalk(responderMachine, {
  models: [responderModel],
  bind: responderWorld,
  essence: ({ answer, ...context }) => ({ ...context, hasAnswer: answer !== null }),
});

function syncWorld(gates: Gates) {
  let nowMs = 0;
  let listener: ((event: WatchEvent) => void) | undefined;
  const clock = { now: () => nowMs, monotonicNow: () => nowMs };
  const ports = portsOf({
    clock,
    reconciler: null,
    store: { peers: () => gates.wait('choosePeers'), openSession: async () => undefined },
    tree: {
      send: () => true,
      deleteChild: async () => ({ ok: true }),
      startChild: () => gates.wait('startSessions'),
      watch: (_: string, told: (event: WatchEvent) => void) => {
        listener = told;
        return () => (listener = undefined);
      },
    },
  });
  const record = { queriedAtMs: null, completedAtMs: null, open: null };
  return {
    logic: createSyncLogic(ports, createRequesterLogic(ports)),
    reset: () => {
      // A day later its session has ended, and the peer is due again.
      nowMs += 86_400_000;
      listener?.({ type: 'down', reason: { type: 'normal' } } as WatchEvent);
    },
    effects: {
      choosePeers: {
        done: ({ starts }: SyncChoice) => {
          if (starts.length > 0)
            listener?.({ type: 'down', reason: { type: 'normal' } } as WatchEvent);
          nowMs += 86_400_000;
          const records = starts.map(({ peer }) => ({ ...record, peerId: peer }));
          gates.open('choosePeers', records);
        },
      },
      startSessions: { done: () => gates.open('startSessions', { ok: true }) },
    },
  };
}

modelWalk(syncMachine, { models: [syncModel], bind: syncWorld });

function inboxWorld(gates: Gates) {
  let wake: (() => void) | undefined;
  const ports = portsOf({
    relay: {
      lease: () => gates.wait('leaseMail'),
      ack: () => gates.wait('ackMail'),
      onWake: (listener: () => void) => {
        wake = listener;
        return () => (wake = undefined);
      },
    },
    verifier: { open: () => gates.wait('handleMail') },
    store: {},
    tree: {},
  });
  return {
    logic: createInboxLogic(ports, createResponderLogic(ports)),
    effects: {
      leaseMail: {
        done: (leased: Leased) => {
          if (leased.type === 'unreachable') gates.fail('leaseMail', unreachable());
          else
            gates.open(
              'leaseMail',
              leased.leases.map((lease) => ({ lease, envelope: {} })),
            );
        },
      },
      handleMail: {
        done: () => gates.open('handleMail', [{ ok: false, code: 'MESH_ERR_ENVELOPE_MALFORMED' }]),
      },
    },
    facts: { 'relay.woke': () => wake?.() },
  };
}

modelWalk(inboxMachine, { models: [inboxModel], bind: inboxWorld });

function outboxWorld(gates: Gates) {
  let tell: (() => void) | undefined;
  const ports = portsOf({
    relay: {},
    store: {
      dueOutgoing: async () => [],
      nextOutgoingAtMs: () => gates.wait('sendMail'),
      onOutgoing: (listener: () => void) => {
        tell = listener;
        return () => (tell = undefined);
      },
    },
  });
  return {
    logic: createOutboxLogic(ports),
    effects: {
      sendMail: {
        done: ({ dueInMs }: { dueInMs: number | null }) => gates.open('sendMail', dueInMs),
      },
    },
    facts: { 'mail.added': () => tell?.() },
  };
}

modelWalk(outboxMachine, { models: [outboxModel], bind: outboxWorld });

function expiryWorld(gates: Gates) {
  const ports = portsOf({
    store: { prune: () => gates.wait('sweepStore'), backfillable: async () => [] },
  });
  return {
    logic: createExpiryLogic(ports),
    effects: {
      sweepStore: { done: ({ pruned }: { pruned: number }) => gates.open('sweepStore', pruned) },
    },
  };
}

modelWalk(expiryMachine, { models: [expiryModel], bind: expiryWorld });
