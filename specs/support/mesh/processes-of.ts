/** Living processes of one mesh, by what stands in their environment. */
import { readFileSync, readdirSync } from 'node:fs';

export interface MeshProcess {
  readonly pid: number;
  readonly instance: string;
  readonly token: string;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended while it was looked at.
    return '';
  }
}

/** Every process, also a grandchild, that carries this MESH_HOME_ID; zombies carry nothing. */
export function processesOf(homeId: string): MeshProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const lines = readText(`/proc/${pid}/environ`).split('\0');
      if (!lines.includes(`MESH_HOME_ID=${homeId}`)) return [];
      const valueOf = (name: string): string =>
        lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
      return [
        { pid: Number(pid), instance: valueOf('MESH_INSTANCE'), token: valueOf('MESH_TOKEN') },
      ];
    });
}
