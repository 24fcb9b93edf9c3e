import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDigest } from '../../../../machines/kernel/ids.ts';
import { systemClock } from '../../../adapters/clock.system.ts';
import { createTlsIdentity } from '../../../attested-tls/tls-identity.ts';
import { coordinatorPaths } from '../../../coordinator/coordinator-identity.ts';
import { ownerKeyPath, readOwnerKey } from '../../../coordinator/owner-keys.ts';
import type { SeedShare, SetManifestResponse } from '../../../rpc/generated/user-api.ts';
import type { Invocation, Run } from '../../command.ts';
import { makeFolder, writeAuthority, writeTo } from '../../coordinator/out-folder.ts';
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

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Sets a manifest at a Coordinator that the manifest itself names; keeps the seed shares in files. */
export const run: Run = async (invocation) => {
  const { args, options, out } = invocation;
  const folder = folderOf(invocation);
  const { bytes, manifest } = readManifestFile(args['file'] ?? '');
  const previous = previousOf(invocation);
  const policies = (text(options['policies']) ?? '').split(',').filter(Boolean).map(readBytes);
  const address = await addressOf(invocation);
  const shares = resolve(text(options['out']) ?? join(folder, 'seed-shares'));
  makeFolder(shares);
  const keyPath = ownerKeyOf(invocation, folder);
  const key = keyPath === undefined ? undefined : readOwnerKey(keyPath, 'workload-owner');
  const identity = key && createTlsIdentity(systemClock.now(), key);
  await using client = await connectTo(address, identity);
  await prove(client, manifest);
  const request = {
    manifest: bytes,
    policies,
    previousTransitionHash: Buffer.from(previous, 'hex'),
    idempotencyKey: await idempotencyKeyOf(shares, sha256(bytes), previous),
  };
  const answer = await client.userApi.setManifest(request);
  const files = await keepShares(shares, answer.seedShares);
  if (files.length > 0) {
    const { idempotencyKey } = request;
    await client.userApi.confirmSeedShares({ idempotencyKey });
  }
  const authority = await writeAuthority(shares, answer);
  rmSync(join(shares, PENDING), { force: true });
  const transition = Buffer.from(answer.transitionHash).toString('hex');
  const result = { transition, generation: Number(answer.generation), ...authority, shares: files };
  out.data(result, () => transition);
  out.note(summary(answer, transition, files, shares));
};

function previousOf({ options }: Invocation): string {
  const said = text(options['previous']) ?? '';
  if (said === '' || isDigest(said)) return said;
  throw cliError('MESH_ERR_CLI_USAGE', `--previous takes 64 hex digits, not "${said}".`);
}

/** The one that was named, or that of the folder, where there is one: a first set needs none. */
function ownerKeyOf({ options }: Invocation, folder: string): string | undefined {
  const said = text(options['key']);
  if (said !== undefined) return said;
  const own = ownerKeyPath(coordinatorPaths(folder).keys, 'workload-owner');
  return existsSync(own) ? own : undefined;
}

const PENDING = '.set-manifest';
const IDEMPOTENCY_BYTES = 32;

/**
 * The same for a repetition of the same request, until it has succeeded: if the answer to a first set
 * is lost, this is what its seed shares can be fetched with.
 */
async function idempotencyKeyOf(
  folder: string,
  manifest: string,
  previous: string,
): Promise<string> {
  const about = `${manifest}:${previous}:`;
  const path = join(folder, PENDING);
  const kept = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (kept.startsWith(about)) return kept.slice(about.length);
  const key = randomBytes(IDEMPOTENCY_BYTES).toString('hex');
  await writeTo(folder, PENDING, `${about}${key}`, 0o600);
  return key;
}

/** Each share is sealed for its owner; all the same nobody else needs to read it. */
async function keepShares(folder: string, shares: readonly SeedShare[]) {
  const kept: { readonly owner: string; readonly path: string }[] = [];
  for (const { ownerKey, ciphertext } of shares) {
    const owner = sha256(ownerKey);
    const path = await writeTo(folder, `${owner.slice(0, 16)}.share`, ciphertext, 0o600);
    kept.push({ owner, path });
  }
  return kept;
}

function summary(
  { generation }: SetManifestResponse,
  transition: string,
  files: readonly { readonly path: string }[],
  folder: string,
): string {
  const set = `Set: generation ${String(generation)}, transition ${shortDigest(transition)}.`;
  if (files.length === 0) return `${set} Certificates are in ${folder}.`;
  const lines = files.map(({ path }) => `  ${path}`);
  return [
    `${set} Give each seed share to its owner; they are not given out again:`,
    ...lines,
    `The next one: mesh coordinator set-manifest FILE --previous ${transition}`,
  ].join('\n');
}
