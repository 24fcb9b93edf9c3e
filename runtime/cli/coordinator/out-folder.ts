/** Files that a command leaves behind for people: written whole, private where they must be. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pemOf } from '../../attested-tls/tls-identity.ts';
import { writeAtomically } from '../../spore/durable.ts';
import { cliError } from '../errors.ts';

/** A folder that is made if it is missing, 0700; MESH_ERR_CLI_OUTPUT. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw cliError('MESH_ERR_CLI_OUTPUT', `Making the folder ${folder}: ${found}.`, { cause });
  }
}

/** Writes one file and resolves to its path; `mode` default 0644. MESH_ERR_CLI_OUTPUT. */
export async function writeTo(
  folder: string,
  name: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<string> {
  const path = join(folder, name);
  try {
    await writeAtomically(path, (file) => file.writeFile(content), { mode });
    return path;
  } catch (cause) {
    throw cliError('MESH_ERR_CLI_OUTPUT', `Writing ${path} failed.`, { cause });
  }
}

/** Root and mesh certificate as PEM. */
export async function writeAuthority(
  folder: string,
  { rootCaCert, meshCaCert }: { readonly rootCaCert: Uint8Array; readonly meshCaCert: Uint8Array },
) {
  return {
    rootCa: await writeTo(folder, 'root-ca.pem', pemOf(rootCaCert)),
    meshCa: await writeTo(folder, 'mesh-ca.pem', pemOf(meshCaCert)),
  };
}
