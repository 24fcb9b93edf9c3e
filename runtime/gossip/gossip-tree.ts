/**
 * The supervision tree of one peer's gossip, as data.
 *
 *     gossip                     one_for_one: none of these needs another one to be up
 *     ├─ requesters              one actor for each peer that is being asked
 *     ├─ responders              one actor for each session that asks this peer
 *     ├─ outbox                  posts what waits in the store
 *     ├─ expiry                  forgets what has expired, verifies what waited for a key
 *     ├─ inbox                   leases mail, hands it on, acknowledges
 *     └─ sync                    begins a session with whoever is due
 */
import { createExpiryLogic, expiryChildSpec } from '../../actors/gossip/expiry.actor.ts';
import { createInboxLogic, inboxChildSpec } from '../../actors/gossip/inbox.actor.ts';
import { createOutboxLogic, outboxChildSpec } from '../../actors/gossip/outbox.actor.ts';
import { GOSSIP_ID, REQUESTERS_ID, RESPONDERS_ID } from '../../actors/gossip/paths.ts';
import type { GossipPorts } from '../../actors/gossip/ports/services.ts';
import { createRequesterLogic } from '../../actors/gossip/requester.actor.ts';
import { createResponderLogic } from '../../actors/gossip/responder.actor.ts';
import { createSyncLogic, syncChildSpec } from '../../actors/gossip/sync.actor.ts';
import { REQUESTERS_MAX, RESPONDERS_MAX } from '../../machines/gossip/session-limits.ts';
import type { SupervisorSpec } from '../../supervisor/index.ts';

/**
 * Restarts within five seconds: eight sessions that meet the same outage of the store, and each tries a few times.
 */
const SESSIONS_INTENSITY = 50;

/** Each of the four loops may fail a few times over one outage; their back-off spreads that. */
const LOOPS_INTENSITY = 20;

/** What stands at `ports.root`. */
export function gossipTree(ports: GossipPorts): SupervisorSpec & { readonly id: typeof GOSSIP_ID } {
  const requester = createRequesterLogic(ports);
  const responder = createResponderLogic(ports);
  return {
    id: GOSSIP_ID,
    type: 'supervisor',
    intensity: LOOPS_INTENSITY,
    children: [
      {
        id: REQUESTERS_ID,
        type: 'supervisor',
        intensity: SESSIONS_INTENSITY,
        // One that ends may stand there for a turn beside its successor.
        maxChildren: 2 * REQUESTERS_MAX,
      },
      {
        id: RESPONDERS_ID,
        type: 'supervisor',
        intensity: SESSIONS_INTENSITY,
        maxChildren: 2 * RESPONDERS_MAX,
      },
      outboxChildSpec(createOutboxLogic(ports)),
      expiryChildSpec(createExpiryLogic(ports)),
      inboxChildSpec(createInboxLogic(ports, responder)),
      syncChildSpec(createSyncLogic(ports, requester)),
    ],
  };
}
