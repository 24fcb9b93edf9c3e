import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of one spec; gone with it. */
export interface Scratch extends Disposable {
  readonly path: string;
  file(name: string): string;
}

/** Makes a private temporary folder, removed with all in it at the end of a `using` block. */
export function scratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), 'mesh-spec-'));
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.dispose]: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
