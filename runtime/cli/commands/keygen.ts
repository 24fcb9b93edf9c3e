import { generateKey } from '../../adapters/keys.fs.ts';
import type { Run } from '../command.ts';

/** Makes NAME.key and NAME.pub in the working folder; never overwrites. */
export const run: Run = async ({ args, out }) => {
  const { name, id, keyPath, publicKeyPath } = await generateKey(args['name'] ?? '');
  out.data({ name, id, keyPath, publicKeyPath }, () => `${keyPath}\n${publicKeyPath}`);
  out.note(`Keep ${keyPath} secret. Let it sign: mesh trust add ${publicKeyPath}`);
};
