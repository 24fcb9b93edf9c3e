import { MESSAGES_MAX } from '../../../gossip/peer/desk.ts';
import { withDesk } from '../../../gossip/peer/with-desk.ts';
import type { Run } from '../../command.ts';
import { messageLine } from '../../gossip/message-lines.ts';
import { count } from '../../option-values.ts';

/** The newest messages, or those after a row, oldest first. */
export const run: Run = async (invocation) => {
  const { home, out, settings } = invocation;
  const limit = count(invocation, 'lines', { min: 1, max: MESSAGES_MAX });
  const after = count(invocation, 'after', { min: 0, max: 999_999_999 });
  const { meshId } = await settings();
  const rows = await withDesk(home, meshId, (desk) =>
    desk.messages({
      ...(limit === undefined ? {} : { limit }),
      ...(after === undefined ? {} : { after }),
    }),
  );
  if (rows.length === 0) out.note('There is no message. Write one: mesh msg post "hello"');
  if (rows.length > 0 || out.json) out.data(rows, () => rows.map(messageLine).join('\n'));
};
