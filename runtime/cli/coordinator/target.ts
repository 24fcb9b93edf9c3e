/** Which Coordinator a command speaks to, and that it is one that the manifest names. */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { readFileSync } from 'node:fs';
import { authoriseCoordinator } from '../../../actors/coordinator/recover-state.ts';
import { readManifest } from '../../../actors/coordinator/read-manifest.ts';
import type { ProvenIdentity } from '../../../actors/coordinator/ports/attestation.ts';
import type { MeshManifest } from '../../../machines/coordinator/mesh-manifest.schema.ts';
import { systemClock } from '../../adapters/clock.system.ts';
import { createValidator } from '../../attest/validator.ts';
import { transportError } from '../../attested-tls/errors.ts';
import type { TlsIdentity } from '../../attested-tls/tls-identity.ts';
import { runningIn } from '../../coordinator/coordinator-config.ts';
import { connectUserApi } from '../../rpc/client.ts';
import type { UserApiClient } from '../../rpc/client.ts';
import type { Invocation } from '../command.ts';
import { cliError } from '../errors.ts';
import { text } from '../option-values.ts';

/** Where a Coordinator listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

type Given = Pick<Invocation, 'options' | 'home'>;

/** The Coordinator's folder: `--folder`, or the one in the state folder. */
export const folderOf = ({ options, home }: Given): string =>
  resolve(text(options['folder']) ?? join(home, 'coordinator'));

/** HOST:PORT, where an IPv6 address stands in brackets. MESH_ERR_CLI_USAGE. */
export function parseAddress(option: string, said: string): Address {
  const [, inner, plain, digits = ''] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(said) ?? [];
  const host = inner ?? plain ?? '';
  const port = Number(digits);
  if (host !== '' && (inner === undefined || isIP(inner) === 6) && port <= 65_535 && digits !== '')
    return { host, port };
  throw cliError('MESH_ERR_CLI_USAGE', `--${option} takes HOST:PORT, not "${said}".`);
}

/**
 * `--address`, or where the Coordinator of the folder listens now. MESH_ERR_CLI_USAGE,
 * MESH_ERR_COORDINATOR_CONFIG, MESH_ERR_TRANSPORT_CONNECT.
 */
export async function addressOf(given: Given): Promise<Address> {
  const said = text(given.options['address']);
  if (said !== undefined) return parseAddress('address', said);
  const folder = folderOf(given);
  const running = await runningIn(folder);
  if (running !== undefined) return running;
  throw transportError(
    'MESH_ERR_TRANSPORT_CONNECT',
    `Looking for the Coordinator of ${folder}: it does not run.`,
    { hint: 'Start it with `mesh coordinator start`, or name another one with --address.' },
  );
}

/** Connects to it, as an owner where `identity` is given. What `connectUserApi` throws. */
export const connectTo = ({ host, port }: Address, identity?: TlsIdentity) =>
  connectUserApi({ host, port, clock: systemClock, ...(identity && { identity }) });

/**
 * Has the Coordinator prove that it is one by this manifest, before anything is given to it.
 * MESH_ERR_ATTEST_*, MESH_ERR_COORDINATOR_NOT_AUTHORISED.
 */
export async function prove(
  client: UserApiClient,
  manifest: MeshManifest,
): Promise<ProvenIdentity> {
  const validator = createValidator(manifest.referenceValues, { clock: systemClock });
  const proven = await client.attest(validator);
  authoriseCoordinator(manifest, proven);
  return proven;
}

/** A file's bytes; MESH_ERR_CLI_INPUT for one that cannot be read. */
export function readBytes(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw cliError('MESH_ERR_CLI_INPUT', `Reading ${path}: ${found}.`, { cause });
  }
}

/** A manifest and its exact bytes. MESH_ERR_CLI_INPUT, MESH_ERR_COORDINATOR_MANIFEST_INVALID. */
export function readManifestFile(path: string) {
  const bytes = readBytes(path);
  return { bytes, manifest: readManifest(bytes) };
}
