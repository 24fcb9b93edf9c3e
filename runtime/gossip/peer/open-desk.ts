import { openPeerStore } from '../../adapters/peer-store.sqlite.ts';
import { systemClock } from '../../adapters/clock.system.ts';
import { createPeerKey } from '../envelope-codec.ts';
import { createSigner } from '../signer.ts';
import { createDesk } from './desk.ts';
import type { PeerDesk } from './peer-control.ts';
import { ensurePeerFolder, ensurePeerKey } from './peer-home.ts';

/** The desk of a peer that no program runs: its key, its store, nothing that waits. */
export async function openDesk(
  home: string,
  meshId: string,
): Promise<{ readonly desk: PeerDesk; close(): Promise<void> }> {
  const paths = ensurePeerFolder(home);
  const { secretKey } = await ensurePeerKey(home);
  const signer = createSigner(meshId, createPeerKey(secretKey));
  const store = await openPeerStore({ path: paths.store, clock: systemClock });
  const desk = createDesk({ store, signer, secretKey, clock: systemClock, home, paths });
  return { desk, close: () => store.close() };
}
