import { readPublicKey } from '../../adapters/keys.fs.ts';
import { createTrustStore } from '../../adapters/trust.fs.ts';
import { ensureHome } from '../../home.ts';
import type { Run } from '../command.ts';
import { text } from '../option-values.ts';

export const run: Run = async ({ args, options, home, out }) => {
  const { name, publicKey } = readPublicKey(args['file'] ?? '');
  const app = text(options['app']);
  const store = createTrustStore(ensureHome(home).trust);
  const entry = await store.add(publicKey, { name, ...(app === undefined ? {} : { app }) });
  out.data(entry, () => entry.id);
  out.note(`Trusted: ${name}, for ${app ?? 'every app'}.`);
};
