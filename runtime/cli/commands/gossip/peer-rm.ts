import { withDesk } from '../../../gossip/peer/with-desk.ts';
import type { Run } from '../../command.ts';

export const run: Run = async ({ args, home, out, settings }) => {
  const { meshId } = await settings();
  const row = await withDesk(home, meshId, (desk) => desk.removePeer(args['peer'] ?? ''));
  out.data(row, () => row.peerId);
  out.note('It is asked no longer. Its messages stay.');
};
