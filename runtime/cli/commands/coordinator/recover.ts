import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../adapters/clock.system.ts';
import { createTlsIdentity } from '../../../attested-tls/tls-identity.ts';
import { coordinatorPaths } from '../../../coordinator/coordinator-identity.ts';
import { openShare } from '../../../coordinator/open-share.ts';
import { ownerKeyPath, readOwnerKey } from '../../../coordinator/owner-keys.ts';
import type { Invocation, Run } from '../../command.ts';
import {
  addressOf,
  connectTo,
  folderOf,
  prove,
  readBytes,
  readManifestFile,
} from '../../coordinator/target.ts';
import { cliError } from '../../errors.ts';
import { shortDigest } from '../../format.ts';
import { text } from '../../option-values.ts';

/** Brings a Coordinator back with a seed share, once it has proved to be one. */
export const run: Run = async (invocation) => {
  const { options, out } = invocation;
  const folder = folderOf(invocation);
  const keyPath =
    text(options['key']) ?? ownerKeyPath(coordinatorPaths(folder).keys, 'seed-share-owner');
  const key = readOwnerKey(keyPath, 'seed-share-owner');
  const { seed, salt } = openShare(readBytes(shareOf(invocation, folder)), key);
  const { manifest } = readManifestFile(text(options['manifest']) ?? join(folder, 'manifest.json'));
  await using client = await connectTo(
    await addressOf(invocation),
    createTlsIdentity(systemClock.now(), key),
  );
  // The seed is the whole mesh: it is sent to nobody who is not known.
  await prove(client, manifest);
  const answer = await client.userApi.recover({
    seed: seed.reveal(),
    salt: salt.reveal(),
    force: options['force'] === true,
  });
  const transition = Buffer.from(answer.transitionHash).toString('hex');
  const generation = Number(answer.generation);
  out.data({ transition, generation }, () => transition);
  out.note(
    `Recovered: generation ${String(generation)}, transition ${shortDigest(transition)}. The mesh ` +
      'key is a new one: certificates of before verify against the root only.',
  );
};

/** The one that was named, or the only one that `set-manifest` left in the folder. */
function shareOf({ options }: Invocation, folder: string): string {
  const said = text(options['share']);
  if (said !== undefined) return said;
  const at = join(folder, 'seed-shares');
  const found = sharesIn(at);
  const [only] = found;
  if (only !== undefined && found.length === 1) return join(at, only);
  throw cliError(
    'MESH_ERR_CLI_USAGE',
    `Recovering: ${at} has ${String(found.length)} seed shares, so --share has to name one.`,
  );
}

function sharesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.share'));
  } catch {
    // A folder that is not there has none, which the caller says.
    return [];
  }
}
