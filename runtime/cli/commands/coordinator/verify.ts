import { join, resolve } from 'node:path';
import type { Run } from '../../command.ts';
import { makeFolder, writeAuthority, writeTo } from '../../coordinator/out-folder.ts';
import {
  addressOf,
  connectTo,
  folderOf,
  prove,
  readManifestFile,
} from '../../coordinator/target.ts';
import {
  checkAuthority,
  checkHistory,
  checkManifest,
  checkRoot,
  checked,
} from '../../coordinator/verify-mesh.ts';
import type { MeshCheck } from '../../coordinator/verify-mesh.ts';
import { cliError } from '../../errors.ts';
import { text } from '../../option-values.ts';
import { paint } from '../../output.ts';
import type { GetManifestsResponse } from '../../../rpc/generated/user-api.ts';

/** Checks a Coordinator against the manifest that its owner expects, and writes down what it serves. */
export const run: Run = async (invocation) => {
  const { options, out } = invocation;
  const folder = folderOf(invocation);
  const { bytes, manifest } = readManifestFile(
    text(options['manifest']) ?? join(folder, 'manifest.json'),
  );
  const target = resolve(text(options['out']) ?? join(folder, 'verified'));
  await using client = await connectTo(await addressOf(invocation));
  const evidence = await checked('evidence', () => prove(client, manifest));
  const answer = await client.userApi.getManifests({});
  const checks: MeshCheck[] = [
    evidence,
    await checked('history', () => checkHistory(answer)),
    await checked('manifest', () => checkManifest(answer, bytes)),
    await checked('authority', () => checkAuthority(answer)),
    await checked('root', () => checkRoot(answer, join(target, 'root-ca.pem'))),
  ];
  const ok = checks.every((check) => check.ok);
  // What failed a check is not written down, where it could be taken for what passed it.
  const files = ok ? await keep(target, answer) : null;
  const report = { ok, checks, files };
  if (ok || !out.json) out.data(report, () => checks.map(lineOf).join('\n'));
  if (ok) {
    out.note(`Written to ${target}: manifests, transitions, certificates.`);
    return;
  }
  const failed = checks.filter((check) => !check.ok).map(({ name }) => name);
  throw cliError(
    'MESH_ERR_CLI_VERIFICATION_FAILED',
    `Verifying the Coordinator: ${failed.join(', ')} failed.`,
    { details: { report }, hint: 'Do not trust it; ask the owner of the mesh what has changed.' },
  );
};

const lineOf = ({ name, ok, message, code }: MeshCheck): string =>
  ok
    ? `${paint(process.stdout, 'green', 'ok  ')}  ${name}`
    : `${paint(process.stdout, 'red', 'FAIL')}  ${name}: ${message ?? ''}` +
      (code === undefined ? '' : ` (${code})`);

async function keep(folder: string, answer: GetManifestsResponse) {
  makeFolder(folder);
  const manifests: string[] = [];
  for (const [index, manifest] of answer.manifests.entries())
    manifests.push(await writeTo(folder, `manifest-${String(index + 1)}.json`, manifest));
  const ids = answer.transitionHashes.map((hash) => Buffer.from(hash).toString('hex'));
  const transitions = await writeTo(folder, 'transitions', `${ids.join('\n')}\n`);
  return { manifests, transitions, ...(await writeAuthority(folder, answer)) };
}
