import type { Supervision } from '../actors/workload/ports/supervision.ts';
import type { Tree } from '../supervisor/index.ts';

/** The port on a tree that is made later: actors are made before the tree that they are in. */
export interface LateTree {
  readonly supervision: Supervision;
  /** To be called once, before the tree starts. */
  fill(tree: Tree): void;
}

export function createLateTree(): LateTree {
  let made: Tree | undefined;
  const tree = (): Tree => {
    if (made === undefined) throw new Error('The tree is used before it exists.');
    return made;
  };
  return {
    fill: (filled) => {
      made = filled;
    },
    supervision: {
      send: (path, event) => tree().send(path, event),
      startChild: (path, spec) => tree().startChild(path, spec),
      terminateChild: (path, id) => tree().terminateChild(path, id),
      deleteChild: (path, id) => tree().deleteChild(path, id),
      snapshotOf: (path) => tree().snapshotOf(path),
      watch: (path, listener) => tree().watch(path, listener),
    },
  };
}
