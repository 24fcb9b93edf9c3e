/** The lines of the tree as they are drawn, in order. */
import type { ActorRow } from './wire.types.ts';

export interface TreeRow {
  readonly row: ActorRow;
  readonly depth: number;
  readonly isOpen: boolean;
  readonly isLeaf: boolean;
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
  const visit = (row: ActorRow, depth: number): boolean => {
    const place = rows.length;
    const below = children.get(row.path) ?? [];
    const isOpen = passes !== undefined || !closed.has(row.path);
    rows.push({ row, depth, isOpen, isLeaf: below.length === 0 });
    let isWanted = passes === undefined || passes(row);
    if (isOpen) for (const child of below) isWanted = visit(child, depth + 1) || isWanted;
    if (!isWanted) rows.length = place;
    return isWanted;
  };
  for (const root of children.get(null) ?? []) visit(root, 0);
  return rows;
}
