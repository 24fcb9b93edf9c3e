import type { Settings } from '../../config.ts';
import { peerError } from '../../gossip/errors.ts';

/** The relay that is configured. MESH_ERR_PEER_RELAY where none is. */
export function relayOf({ relay }: Settings): string {
  if (relay !== null) return relay.replace(/\/$/, '');
  throw peerError('MESH_ERR_PEER_RELAY', 'Reaching other peers: no relay is configured.');
}
