/** The Coordinator of `mesh dev`: at home in the state folder, and its own owner. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nodeKeyOf } from '../../certificates/coordinator-link.ts';
import { optionsOf, readCoordinatorConfig } from '../../coordinator/coordinator-config.ts';
import type { CoordinatorView } from '../../coordinator/coordinator-view.ts';
import { coordinatorPaths } from '../../coordinator/coordinator-identity.ts';
import { ensureOwnerKeys } from '../../coordinator/home-owner.ts';
import type { OwnCoordinatorOptions } from '../../coordinator/mesh-coordinator.ts';
import { freePort } from '../free-port.ts';

const TRUST_DOMAIN = 'mesh.local';
/** The first port that is tried. */
const PORT = 7443;

/** Makes what takes long and needs nothing else: to be called while something else is under way. */
export async function prepareDevCoordinator(home: string): Promise<void> {
  const { folder, keys } = pathsIn(home);
  if (!existsSync(coordinatorPaths(folder).config)) await ensureOwnerKeys(keys);
}

const pathsIn = (home: string) => coordinatorPaths(join(home, 'coordinator'));

/**
 * What `startMesh` is given. A folder that `mesh coordinator init` made has owners, so nothing is set
 * or recovered there in their place.
 */
export async function devCoordinator(
  home: string,
  workloads: readonly { readonly digest: string; readonly app: string }[],
): Promise<OwnCoordinatorOptions> {
  const { folder, config } = pathsIn(home);
  if (existsSync(config)) return optionsOf(folder, readCoordinatorConfig(folder));
  const { publicKey } = await nodeKeyOf(home);
  return {
    folder,
    port: await freePort(PORT),
    owner: {
      trustDomain: TRUST_DOMAIN,
      nodeKeys: [Buffer.from(publicKey).toString('hex')],
      workloads,
    },
  };
}

/** As in the banner: `ready  https://127.0.0.1:7443`. */
export function coordinatorText(view: CoordinatorView | undefined): string {
  if (view === undefined) return 'none';
  const { state, address } = view;
  const url = address === null ? '' : `  https://${address.host}:${String(address.port)}`;
  return `${state}${url}`;
}
