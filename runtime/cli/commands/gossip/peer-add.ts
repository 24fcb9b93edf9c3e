import { existsSync } from 'node:fs';
import { readPublicKey } from '../../../adapters/keys.fs.ts';
import { peerError } from '../../../gossip/errors.ts';
import { PEER_NAME } from '../../../gossip/peer/socket/wire.ts';
import { withDesk } from '../../../gossip/peer/with-desk.ts';
import type { Run } from '../../command.ts';
import { cliError } from '../../errors.ts';
import { peerName } from '../../gossip/message-lines.ts';
import { text } from '../../option-values.ts';

/** A peer by its key in hex, or by the file of it. */
export const run: Run = async ({ args, options, home, out, settings }) => {
  const name = text(options['name']);
  if (name !== undefined && !PEER_NAME.test(name))
    throw cliError('MESH_ERR_CLI_USAGE', `--name cannot be "${name}".`);
  const { meshId } = await settings();
  const publicKey = keyOf(args['key'] ?? '');
  const row = await withDesk(home, meshId, (desk) =>
    desk.addPeer({ publicKey, ...(name === undefined ? {} : { name }) }),
  );
  out.data(row, () => row.peerId);
  out.note(`${peerName(row.peerId, row.name)} is asked for messages from now on: mesh sync`);
};

function keyOf(said: string): string {
  if (/^[0-9a-f]{64}$/.test(said)) return said;
  if (existsSync(said)) return Buffer.from(readPublicKey(said).publicKey).toString('hex');
  throw peerError(
    'MESH_ERR_PEER_KEY',
    `Adding the peer ${said.slice(0, 80)}: it is no key of 64 hex digits, and no file.`,
  );
}
