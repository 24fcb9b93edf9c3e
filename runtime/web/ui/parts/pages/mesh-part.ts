import type { MeshView } from '../../views.types.ts';

/** The page's data, where there is a mesh. */
export type Known = Extract<MeshView, { available: true }>;

/** Each panel of the page takes what it needs of the whole. */
export interface MeshPart {
  readonly view: Known;
}
