import { withDesk } from '../../../gossip/peer/with-desk.ts';
import type { Run } from '../../command.ts';
import { messageRequest } from '../../gossip/message-text.ts';

/** Durable here when it ends; others get it when they ask. */
export const run: Run = async (invocation) => {
  const { home, out, settings } = invocation;
  const request = await messageRequest(invocation);
  const { meshId } = await settings();
  const posted = await withDesk(home, meshId, (desk) => desk.post(request));
  out.data(posted, () => posted.id);
};
