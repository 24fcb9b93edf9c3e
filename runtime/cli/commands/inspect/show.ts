import { connectControl } from '../../../control/client.ts';
import type { Run } from '../../command.ts';
import { count } from '../../option-values.ts';

const PORTS = { min: 0, max: 65_535 };

/** Prints the address of the inspector of a running mesh; it works once. */
export const run: Run = async (invocation) => {
  const { home, options, out } = invocation;
  const port = count(invocation, 'port', PORTS);
  const invitation = await connectControl(home).inspect({
    ...(port === undefined ? {} : { port }),
    allowSend: options['allowSend'] === true,
    ...(options['stately'] === true ? { stately: true } : {}),
  });
  const { url, statelyUrl } = invitation;
  out.data(invitation, () => (statelyUrl === undefined ? url : `${url}\n${statelyUrl}`));
  out.note('Open it in a browser on this machine. It works once; ask again for another.');
};
