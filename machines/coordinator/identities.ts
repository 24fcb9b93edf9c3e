/**
 * What the edge of a mesh proves to be, where evidence has the digest of a spore: there is none, so
 * it is the SHA-256 of `mycelium-mesh/edge/v1`. A mesh manifest that is to let edges in has a policy
 * with the role `edge` under it.
 */
export const EDGE_IDENTITY = '0caa431876eabf86f413529f6e7e28051241b8b7fdc26ec1523ea6ddc05f4be8';

/**
 * What every Coordinator of this program proves to be, as the SHA-256 of `mycelium-mesh/coordinator/v1`.
 * Its policy has the role `coordinator`, and should name the node keys that may prove it.
 */
export const COORDINATOR_IDENTITY =
  '5dbeda4f9da591e454c6d38f5945afec26c8522bfc97ee7711f7706a411defbd';
