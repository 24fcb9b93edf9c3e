import type { Run } from '../command.ts';
import { publishFile } from '../publish-file.ts';

/** Prints the digest alone; works without a running mesh. */
export const run: Run = async ({ args, home, out }) => {
  const digest = await publishFile(home, args['file'] ?? '');
  out.data({ digest }, () => digest);
};
