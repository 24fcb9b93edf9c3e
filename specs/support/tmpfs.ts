import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { scratch } from './scratch.ts';
import type { Scratch } from './scratch.ts';

/** A file system of its own, gone at the end of a `using` block. */
export interface Tmpfs extends Disposable {
  readonly path: string;
  /** From now on nothing can be written. */
  makeReadOnly(): void;
}

/** Mounts a file system in memory at `NAME` in a folder; `options` are those of tmpfs(5). */
export function tmpfs(folder: Scratch, options: string): Tmpfs {
  const path = folder.file('tmpfs');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'pipe' });
  return {
    path,
    makeReadOnly: () => void execFileSync('mount', ['-o', 'remount,ro', path]),
    [Symbol.dispose]: () => void execFileSync('umount', [path]),
  };
}

/** Only root may mount, and not in every container: specs that need it are skipped elsewhere. */
export const canMount = ((): boolean => {
  using folder = scratch();
  try {
    using _ = tmpfs(folder, 'size=64k');
    return true;
  } catch {
    return false; // The reason is that of every refusal to mount; nothing can be done about it.
  }
})();
