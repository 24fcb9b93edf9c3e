import { join, resolve } from 'node:path';
import { createTrustStore } from '../../../adapters/trust.fs.ts';
import { allowing, manifestText } from '../../../coordinator/manifest-template.ts';
import { homePaths } from '../../../home.ts';
import { writeAtomically } from '../../../spore/durable.ts';
import { verifySpore } from '../../../spore/index.ts';
import type { Run } from '../../command.ts';
import { folderOf, readManifestFile } from '../../coordinator/target.ts';
import { cliError } from '../../errors.ts';
import { shortDigest } from '../../format.ts';
import { text } from '../../option-values.ts';
import { withPool } from '../../worker-pool.ts';

/**
 * Adds a policy for a spore to a manifest file; nothing is set by that. A spore that does not verify is
 * never named: MESH_ERR_CLI_VERIFICATION_FAILED.
 */
export const run: Run = async (invocation) => {
  const { args, options, home, out } = invocation;
  const file = args['file'] ?? '';
  const path = resolve(text(options['manifest']) ?? join(folderOf(invocation), 'manifest.json'));
  const { manifest } = readManifestFile(path);
  const trust = createTrustStore(homePaths(home).trust);
  const report = await withPool((pool) => verifySpore(pool, file, { trust }));
  const app = report.manifest?.name;
  if (!report.ok || app === undefined)
    throw cliError('MESH_ERR_CLI_VERIFICATION_FAILED', `Allowing ${file}: it does not verify.`, {
      hint: `See why with \`mesh verify ${file}\`.`,
      details: { report },
    });
  const { digest } = report;
  const next = allowing(manifest, { digest, app });
  if (next) await writeAtomically(path, (handle) => handle.writeFile(manifestText(next)));
  out.data({ manifest: path, identity: digest, app, isNew: next !== undefined }, () => digest);
  out.note(
    next
      ? `${path} names ${app} (${shortDigest(digest)}). Set it: mesh coordinator set-manifest ${path}`
      : `${path} names ${shortDigest(digest)} already.`,
  );
};
