/** What the package offers of gossip; loaded when it is used, for most programs use none of it. */
import type { Relay, RelayOptions } from '../relay/relay.ts';
import type { Peer, PeerOptions } from './peer/start-peer.ts';

/**
 * Starts a peer: it asks the peers that were added for what it has missed, answers theirs, and sends
 * what waits. See `runtime/gossip/peer/start-peer.ts` for what it rejects with.
 *
 * @example
 * const peer = await startPeer({ home: '.mesh', relay: 'http://127.0.0.1:7070' });
 * await peer.post({ text: 'hello, everybody' });
 * for await (const message of peer.tail(0)) console.log(message.text);
 */
export async function startPeer(options: PeerOptions): Promise<Peer> {
  const module = await import('./peer/start-peer.ts');
  return module.startPeer(options);
}

/**
 * Starts a relay: inboxes for peers that cannot reach each other, or not now. Rejects with
 * MESH_ERR_RELAY_LISTEN, and with what its store rejects with.
 *
 * @example
 * const relay = await startRelay({ path: 'relay.sqlite', port: 7070 });
 * await relay.stop();
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const module = await import('../relay/relay.ts');
  return module.startRelay(options);
}
