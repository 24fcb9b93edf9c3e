/** Where things stand in a state folder (MESH_HOME), and the folder itself. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { controlError } from './control/errors.ts';

export interface HomePaths {
  /** Absolute. */
  readonly home: string;
  /** Control socket, 0600. */
  readonly socket: string;
  /** Held by the running mesh, see `control/home-lock.ts`. */
  readonly lock: string;
  readonly fabric: string;
  /** What actors remember that the fabric does not hold. */
  readonly journal: string;
  readonly repo: string;
  readonly trust: string;
  /** Private folders of instances: what was extracted. */
  readonly instances: string;
  readonly logs: string;
  /** Keys that `mesh dev` made for itself. */
  readonly keys: string;
  /** How often each transition of a machine was taken, for the inspector's charts. */
  readonly coverage: string;
}

/** The paths of a state folder; makes nothing. */
export function homePaths(home: string): HomePaths {
  const root = resolve(home);
  return {
    home: root,
    socket: join(root, 'mesh.sock'),
    lock: join(root, 'mesh.lock'),
    fabric: join(root, 'fabric.sqlite'),
    journal: join(root, 'journal.sqlite'),
    repo: join(root, 'repo'),
    trust: join(root, 'trust.json'),
    instances: join(root, 'instances'),
    logs: join(root, 'logs'),
    keys: join(root, 'keys'),
    coverage: join(root, 'coverage'),
  };
}

/**
 * Makes the state folder with mode 0700 where it is missing, and takes other users' access from an
 * empty one. A folder that already holds something keeps its mode: it may be somebody's working
 * folder, and every file that the mesh puts there is private by its own mode.
 * MESH_ERR_CONTROL_HOME_UNUSABLE.
 */
export function ensureHome(home: string): HomePaths {
  const paths = homePaths(home);
  try {
    mkdirSync(paths.home, { recursive: true, mode: 0o700 });
    const isOpen = (statSync(paths.home).mode & 0o077) !== 0;
    if (isOpen && readdirSync(paths.home).length === 0) chmodSync(paths.home, 0o700);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw controlError(
      'MESH_ERR_CONTROL_HOME_UNUSABLE',
      `The state folder ${paths.home} cannot be used: ${found}.`,
      { cause },
    );
  }
  return paths;
}

/** Names an existing state folder in the environments of its processes: 16 hex digits. */
export const homeIdOf = (home: string): string =>
  createHash('sha256').update(realpathSync(home)).digest('hex').slice(0, 16);
