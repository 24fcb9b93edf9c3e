import { withDesk } from '../../../gossip/peer/with-desk.ts';
import type { Run } from '../../command.ts';
import { messageRequest } from '../../gossip/message-text.ts';
import { text } from '../../option-values.ts';

/** Durable here when it ends; sent when a running peer reaches the relay. */
export const run: Run = async (invocation) => {
  const { args, options, home, out, settings } = invocation;
  const request = await messageRequest(invocation);
  const group = text(options['group']);
  const { meshId } = await settings();
  const sent = await withDesk(home, meshId, (desk) =>
    desk.send({ ...request, to: args['peer'] ?? '', ...(group === undefined ? {} : { group }) }),
  );
  out.data(sent, () => sent.id);
};
