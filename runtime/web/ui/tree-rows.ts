/** The lines of the tree as they are drawn, in order. */
import type { ActorRow } from './wire.types.ts';

export interface TreeRow {
  readonly row: ActorRow;
  readonly depth: number;
  readonly isOpen: boolean;
  readonly isLeaf: boolean;
  /** Its place among its siblings, from 1, and how many they are: not all of them are drawn. */
  readonly place: number;
  readonly siblings: number;
}

export type Children = ReadonlyMap<string | null, readonly ActorRow[]>;

/** By their parent; those whose parent is not there stand at the top. */
export function childrenOf(actors: ReadonlyMap<string, ActorRow>): Children {
  const children = new Map<string | null, ActorRow[]>();
  for (const row of actors.values()) {
    const parent = row.parent !== null && actors.has(row.parent) ? row.parent : null;
    const siblings = children.get(parent);
    if (siblings) siblings.push(row);
    else children.set(parent, [row]);
  }
  return children;
}

/** Those whose parents are open, and, under a filter, those that pass it with all above them. */
export function treeRows(
  children: Children,
  closed: ReadonlySet<string>,
  passes: ((row: ActorRow) => boolean) | undefined,
): TreeRow[] {
  const rows: TreeRow[] = [];
  const visit = (row: ActorRow, depth: number, place: number, siblings: number): boolean => {
    const start = rows.length;
    const below = children.get(row.path) ?? [];
    const isOpen = passes !== undefined || !closed.has(row.path);
    rows.push({ row, depth, isOpen, isLeaf: below.length === 0, place, siblings });
    let isWanted = passes === undefined || passes(row);
    if (isOpen)
      for (const [index, child] of below.entries())
        isWanted = visit(child, depth + 1, index + 1, below.length) || isWanted;
    if (!isWanted) rows.length = start;
    return isWanted;
  };
  const roots = children.get(null) ?? [];
  for (const [index, root] of roots.entries()) visit(root, 0, index + 1, roots.length);
  return rows;
}
