/** Binds the inbox to the relay; the messages of a batch stay here, the machine sees their leases. */
import { fromCallback, fromPromise } from 'xstate';
import { crash } from '../../machines/kernel/unbound.ts';
import { inboxMachine } from '../../machines/gossip/inbox.machine.ts';
import type { InboxEvent } from '../../machines/gossip/inbox.machine.ts';
import { INBOX_BATCH_MAX } from '../../machines/gossip/session-limits.ts';
import { childSpec } from '../../supervisor/index.ts';
import { createAnswerTarget, handleMail } from './handle-mail.ts';
import { INBOX_ID } from './paths.ts';
import type { InboxItem } from './ports/relay-client.ts';
import type { GossipPorts } from './ports/services.ts';
import { createResponderKeeper } from './responder.actor.ts';
import type { createResponderLogic } from './responder.actor.ts';
import { lostOf } from './send-meta.ts';

type Provided = NonNullable<Parameters<typeof inboxMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;

export function createInboxLogic(
  ports: GossipPorts,
  responder: ReturnType<typeof createResponderLogic>,
) {
  const { relay, counters } = ports;
  const targets = {
    question: createResponderKeeper(ports, responder),
    answer: createAnswerTarget(ports),
  };
  let batch: readonly InboxItem[] = [];
  /** Messages that are still to be handled one by one: one of them was a crash. */
  let singles = 0;
  const actors: Bindings = {
    crash,
    watchRelay: fromCallback<InboxEvent, Record<string, never>>(({ sendBack }) =>
      relay.onWake(() => sendBack({ type: 'relay.woke' })),
    ),
    leaseMail: fromPromise(async ({ signal }) => {
      try {
        batch = await relay.lease(singles > 0 ? 1 : INBOX_BATCH_MAX, signal);
        return { type: 'leased', leases: batch.map(({ lease }) => lease) };
      } catch (error) {
        const { code } = lostOf(error);
        counters.refuse(code);
        return { type: 'unreachable', code };
      }
    }),
    handleMail: fromPromise(async ({ input: { leases }, signal }) => {
      const wanted = new Set(leases);
      const items = batch.filter(({ lease }) => wanted.has(lease));
      batch = [];
      const left = Math.max(0, singles - 1);
      // Whatever crashes over one message is to keep only that one from being handled.
      singles = INBOX_BATCH_MAX;
      await handleMail(ports, items, targets, signal);
      singles = left;
      return items.map(({ lease }) => lease);
    }),
    ackMail: fromPromise(async ({ input: { leases }, signal }) => {
      if (leases.length === 0) return;
      try {
        await relay.ack(leases, signal);
      } catch (error) {
        // They come back when their lease has ended, and are known then.
        counters.refuse(lostOf(error).code);
      }
    }),
  };
  return inboxMachine.provide({ actors });
}

/** Permanent; what it had leased comes back. */
export const inboxChildSpec = (logic: ReturnType<typeof createInboxLogic>) =>
  childSpec({
    id: INBOX_ID,
    logic,
    backoff: { minMs: 100, maxMs: 15_000, factor: 2, jitter: 0.2, resetAfterMs: 60_000 },
  });
