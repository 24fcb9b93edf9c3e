import { withDesk } from '../../../gossip/peer/with-desk.ts';
import type { Run } from '../../command.ts';

/** Prints the key that others add; makes it where there is none. */
export const run: Run = async ({ home, out, settings }) => {
  const { meshId } = await settings();
  const { peerId, publicKey } = await withDesk(home, meshId, (desk) => desk.info());
  out.data({ peerId, publicKey, meshId }, () => publicKey);
  out.note(`The peer is ${peerId} of the mesh ${meshId}. Elsewhere: mesh peer add ${publicKey}`);
};
