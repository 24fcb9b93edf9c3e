/** Binds the outbox to the store, in which its messages wait, and to the relay. */
import { fromCallback, fromPromise } from 'xstate';
import { crash } from '../../machines/kernel/unbound.ts';
import { outboxMachine } from '../../machines/gossip/outbox.machine.ts';
import type { OutboxEvent } from '../../machines/gossip/outbox.machine.ts';
import { verdictOf } from '../../machines/gossip/outbox-rules.ts';
import type { Attempt } from '../../machines/gossip/outbox-rules.ts';
import { OUTBOX_BATCH_MAX } from '../../machines/gossip/session-limits.ts';
import { childSpec } from '../../supervisor/index.ts';
import { OUTBOX_ID } from './paths.ts';
import type { OutboxItem, OutboxResult } from './ports/peer-store.ts';
import type { GossipPorts } from './ports/services.ts';
import { lostOf } from './send-meta.ts';

type Provided = NonNullable<Parameters<typeof outboxMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;
type Ports = Pick<GossipPorts, 'clock' | 'store' | 'relay' | 'counters'>;

/** One attempt for each; a relay that cannot be reached costs each of them one. */
async function attempt(
  { relay }: Ports,
  due: readonly OutboxItem[],
  signal: AbortSignal,
): Promise<readonly Attempt[]> {
  try {
    const results = await relay.post(
      due.map(({ envelope }) => envelope),
      signal,
    );
    return due.map((_, at) => results[at] ?? UNANSWERED);
  } catch (error) {
    const { code } = lostOf(error);
    return due.map(() => ({ type: 'unreachable', code }));
  }
}

/** A relay that answers for fewer messages than it was given. */
const UNANSWERED: Attempt = { type: 'unreachable', code: 'MESH_ERR_RELAY_UNAVAILABLE' };

async function sendDue(ports: Ports, signal: AbortSignal): Promise<void> {
  const { clock, store, counters } = ports;
  const due = await store.dueOutgoing(clock.now(), OUTBOX_BATCH_MAX);
  if (due.length === 0) return;
  const attempts = await attempt(ports, due, signal);
  const nowMs = clock.now();
  const results = due.map(({ envelope, attempts: before }, at): OutboxResult => ({
    messageId: envelope.header.message_id,
    ...verdictOf(attempts[at] ?? UNANSWERED, { attempts: before, nowMs }),
  }));
  await store.settleOutgoing(results);
  for (const result of results)
    if (result.type === 'sent') counters.count('sent');
    else {
      counters.refuse(result.code);
      if (result.type === 'dead') counters.count('deadLetters');
    }
}

export function createOutboxLogic(ports: Ports) {
  const { clock, store } = ports;
  const actors: Bindings = {
    crash,
    watchMail: fromCallback<OutboxEvent, Record<string, never>>(({ sendBack }) =>
      store.onOutgoing(() => sendBack({ type: 'mail.added' })),
    ),
    sendMail: fromPromise(async ({ signal }) => {
      await sendDue(ports, signal);
      const nextAtMs = await store.nextOutgoingAtMs();
      return { dueInMs: nextAtMs === null ? null : nextAtMs - clock.now() };
    }),
  };
  return outboxMachine.provide({ actors });
}

/** Permanent; posting is idempotent, so what was under way is posted again. */
export const outboxChildSpec = (logic: ReturnType<typeof createOutboxLogic>) =>
  childSpec({
    id: OUTBOX_ID,
    logic,
    backoff: { minMs: 100, maxMs: 15_000, factor: 2, jitter: 0.2, resetAfterMs: 60_000 },
  });
