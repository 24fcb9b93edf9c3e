/** How the agents and the edge of a mesh reach their Coordinator, and how they know it. */
import { certificateError } from '../../machines/workload/certificate-errors.ts';
import { readKey } from '../adapters/keys.fs.ts';
import type { CoordinatorParts } from '../coordinator/compose-coordinator.ts';
import { ensureNodeKey } from '../coordinator/coordinator-identity.ts';
import { homePaths } from '../home.ts';
import type { KeyFile } from '../spore/signing.ts';

/** `startMesh({ coordinator })`. With it, each instance that wants one gets a mesh certificate. */
export interface CoordinatorLink {
  /** `HOST:PORT` of its attested service; the next one is tried where one does not answer. */
  readonly addresses: readonly string[];
  /**
   * The Coordinators' own keys: Ed25519 public keys, 64 lower-case hex digits, at least one. Only who
   * signs its evidence with one of them is believed to be a Coordinator, from the first use on.
   */
  readonly keys: readonly string[];
  /**
   * File of the key with which the nodes of this mesh sign evidence, as `mesh keygen` writes it. The
   * mesh manifest names its public half under `referenceValues.process.nodeKeys`. Default
   * `keys/node.key` in the state folder, made where it is missing.
   */
  readonly nodeKey?: string;
}

/**
 * The node key of a state folder, made at the first use (0600). What `readKey` and `generateKey`
 * throw: MESH_ERR_KEY_*.
 */
export const nodeKeyOf = (home: string): Promise<KeyFile> => ensureNodeKey(homePaths(home).keys);

/** Where Coordinators are at the moment, and how they and the nodes prove themselves. */
export interface CoordinatorSource {
  /** In the order in which they are asked. */
  addresses(): Promise<readonly CoordinatorAddress[]>;
  readonly keys: readonly string[];
  readonly nodeKey: KeyFile;
}

/** As a link says; MESH_ERR_CERTIFICATE_LINK, and what the node's key is refused for: MESH_ERR_KEY_*. */
export async function sourceOf(link: CoordinatorLink, home: string): Promise<CoordinatorSource> {
  const addresses = addressesOf(link);
  const nodeKey = link.nodeKey === undefined ? await nodeKeyOf(home) : readKey(link.nodeKey);
  return { addresses: () => Promise.resolve(addresses), keys: link.keys, nodeKey };
}

/** The Coordinator that runs in the mesh itself, wherever it listens. */
export async function sourceOfOwn(
  { nodeKey, view }: Pick<CoordinatorParts, 'nodeKey' | 'view'>,
  home: string,
): Promise<CoordinatorSource> {
  return {
    addresses: async () => {
      const { address } = await view();
      return address === null ? [] : [address];
    },
    keys: [nodeKey],
    nodeKey: await nodeKeyOf(home),
  };
}

/** An address taken apart. */
export interface CoordinatorAddress {
  readonly host: string;
  readonly port: number;
}

const ADDRESSES_MAX = 16;
const KEYS_MAX = 16;

/** The addresses of a link, once all of it was checked; MESH_ERR_CERTIFICATE_LINK. */
export function addressesOf({ addresses, keys }: CoordinatorLink): readonly CoordinatorAddress[] {
  if (addresses.length === 0 || addresses.length > ADDRESSES_MAX)
    throw linkError(`it has ${addresses.length} addresses, 1 to ${ADDRESSES_MAX} may be`);
  if (keys.length === 0 || keys.length > KEYS_MAX)
    throw linkError(`it pins ${keys.length} keys, 1 to ${KEYS_MAX} may be`);
  for (const key of keys)
    if (!/^[0-9a-f]{64}$/.test(key)) throw linkError('one of its keys is not 32 bytes in hex');
  return addresses.map(addressOf);
}

function addressOf(address: string): CoordinatorAddress {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s/:[\]]+)):(\d{1,5})$/.exec(address);
  const [host, port] = [parts?.[1] ?? parts?.[2], Number(parts?.[3])];
  if (host === undefined || !(port >= 1 && port <= 65_535))
    throw linkError(`the address "${address.slice(0, 100)}" is not HOST:PORT`);
  return { host, port };
}

const linkError = (found: string): Error =>
  certificateError('MESH_ERR_CERTIFICATE_LINK', `Reading the link to a Coordinator: ${found}.`);
