import { createTrustStore } from '../../adapters/trust.fs.ts';
import { homePaths } from '../../home.ts';
import type { Run } from '../command.ts';

export const run: Run = async ({ args, home, out }) => {
  const removed = await createTrustStore(homePaths(home).trust).remove(args['name'] ?? '');
  out.data(removed, () => removed.map(({ id }) => id).join('\n'));
  out.note('What runs already goes on; new launches of its spores are refused.');
};
