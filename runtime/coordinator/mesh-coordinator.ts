/** A Coordinator as part of a mesh: its subtree, and the owner that keeps it in order. */
import { COORDINATOR_ID } from '../../actors/coordinator/paths.ts';
import { ROOT } from '../../actors/workload/paths.ts';
import type { Supervision } from '../../actors/workload/ports/supervision.ts';
import { composeCoordinator } from './compose-coordinator.ts';
import type { CoordinatorOptions, CoordinatorParts } from './compose-coordinator.ts';
import { createHomeOwner } from './home-owner.ts';
import type { HomeOwnerOptions } from './home-owner.ts';

/** `startMesh({ ownCoordinator })`: runs a Coordinator in the tree of the mesh. */
export interface OwnCoordinatorOptions extends CoordinatorOptions {
  /**
   * Lets the mesh be its own owner: it sets this manifest, and recovers the Coordinator after each
   * start, with keys that it makes in the Coordinator's folder. Default: owners do that.
   */
  readonly owner?: Omit<HomeOwnerOptions, 'folder'>;
}

/** What `composeCoordinator` and `createHomeOwner` throw. */
export async function composeMeshCoordinator(
  options: OwnCoordinatorOptions,
  supervision: Supervision,
): Promise<CoordinatorParts> {
  const { owner: named, ...own } = options;
  const owner = named && (await createHomeOwner({ ...named, folder: own.folder }));
  return composeCoordinator(own, {
    supervision,
    path: `${ROOT}/${COORDINATOR_ID}`,
    ...(owner && { beforeOpening: owner.bring }),
  });
}
