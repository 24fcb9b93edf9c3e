/** A Coordinator as part of a mesh: its subtree, and the owner that keeps it in order. */
import { COORDINATOR_ID } from '../../actors/coordinator/paths.ts';
import { ROOT } from '../../actors/workload/paths.ts';
import type { Supervision } from '../../actors/workload/ports/supervision.ts';
import { composeCoordinator } from './compose-coordinator.ts';
import type { CoordinatorOptions, CoordinatorParts } from './compose-coordinator.ts';
import { createHomeOwner } from './home-owner.ts';
import type { HomeOwnerOptions, Workload } from './home-owner.ts';

/** `startMesh({ ownCoordinator })`: runs a Coordinator in the tree of the mesh. */
export interface OwnCoordinatorOptions extends CoordinatorOptions {
  /**
   * Lets the mesh be its own owner: it sets this manifest, and recovers the Coordinator after each
   * start, with keys that it makes in the Coordinator's folder. Default: owners do that.
   */
  readonly owner?: Omit<HomeOwnerOptions, 'folder'>;
}

/** A Coordinator of a mesh. */
export interface MeshCoordinator extends CoordinatorParts {
  /**
   * Lets a spore that is about to run have certificates, where the mesh is its own owner. It never
   * rejects: a spore that stays unknown is refused a certificate, and its deployment says so.
   */
  admit(workload: Workload): Promise<void>;
}

/** What `composeCoordinator` and `createHomeOwner` throw. */
export async function composeMeshCoordinator(
  options: OwnCoordinatorOptions,
  supervision: Supervision,
): Promise<MeshCoordinator> {
  const { owner: named, ...own } = options;
  const owner = named && (await createHomeOwner({ ...named, folder: own.folder }));
  const parts = await composeCoordinator(own, {
    supervision,
    path: `${ROOT}/${COORDINATOR_ID}`,
    ...(owner && { beforeOpening: (ports) => owner.bring(ports) }),
  });
  const { ports } = parts;
  const admit = async (workload: Workload): Promise<void> => {
    await owner?.admit(ports, workload).catch((error: unknown) => {
      ports.notice(`naming ${workload.app} in the mesh manifest`, error);
    });
  };
  return { ...parts, admit };
}
