/** How a node that a command runs takes part in messages. */
import type { Settings } from '../../config.ts';
import type { MeshPeerOptions } from '../../mesh-peer.ts';
import { freePort } from '../free-port.ts';

/** Where a relay of its own listens if nothing else does. */
const RELAY_PORT = 7070;

/** `mesh dev` has a peer always, and a relay of its own where none is named. */
export async function devPeer({ relay, meshId, announce }: Settings): Promise<MeshPeerOptions> {
  const at = relay === null ? { relayPort: await freePort(RELAY_PORT) } : { relay };
  return { ...at, meshId, announce };
}

/** `mesh up` has one where a relay is named, or something is to be announced. */
export function upPeer({ relay, meshId, announce }: Settings): { readonly peer?: MeshPeerOptions } {
  if (relay === null && !announce) return {};
  return { peer: { ...(relay === null ? {} : { relay }), meshId, announce } };
}
