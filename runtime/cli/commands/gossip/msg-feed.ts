import { needRunningPeer } from '../../../gossip/peer/with-desk.ts';
import type { Run } from '../../command.ts';
import { count } from '../../option-values.ts';

/** Prints the address of the feed of a running peer; it works once. */
export const run: Run = async (invocation) => {
  const { home, out } = invocation;
  const port = count(invocation, 'port', { min: 0, max: 65_535 });
  const peer = await needRunningPeer(home);
  const invitation = await peer.feed(port === undefined ? {} : { port });
  out.data(invitation, () => invitation.url);
  out.note('Open it in a browser on this machine. It works once; ask again for another.');
};
