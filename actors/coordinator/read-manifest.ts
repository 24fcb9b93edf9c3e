import { parseStrictJsonBytes } from '../../machines/workload/strict-json.ts';
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import {
  MESH_MANIFEST_BYTES_MAX,
  parseMeshManifest,
} from '../../machines/coordinator/mesh-manifest.schema.ts';
import type { MeshManifest } from '../../machines/coordinator/mesh-manifest.schema.ts';

/** Reads a manifest's exact bytes; MESH_ERR_COORDINATOR_MANIFEST_INVALID with every finding. */
export function readManifest(bytes: Uint8Array): MeshManifest {
  if (bytes.length > MESH_MANIFEST_BYTES_MAX)
    throw coordinatorError(
      'MESH_ERR_COORDINATOR_MANIFEST_INVALID',
      `Reading a mesh manifest: it has ${bytes.length} bytes, at most ${MESH_MANIFEST_BYTES_MAX}.`,
    );
  return parseMeshManifest(jsonOf(bytes));
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return parseStrictJsonBytes(bytes);
  } catch (cause) {
    throw coordinatorError(
      'MESH_ERR_COORDINATOR_MANIFEST_INVALID',
      'Reading a mesh manifest: it is not strict JSON.',
      { cause },
    );
  }
}
