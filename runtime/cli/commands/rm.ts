import { connectControl } from '../../control/client.ts';
import type { Run } from '../command.ts';

/** Resolves when the instances are gone and the app is forgotten. */
export const run: Run = async ({ args, home, out }) => {
  const app = args['app'] ?? '';
  await connectControl(home).remove(app);
  out.data({ app, removed: true }, () => app);
  out.note('Its spores stay in the repo.');
};
