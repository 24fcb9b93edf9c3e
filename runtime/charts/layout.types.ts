/** Where everything of a chart stands in its picture. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  /** Of the transition; a second target's has a number behind it, an initial one its dot's id. */
  readonly id: string;
  readonly points: readonly Point[];
  readonly label?: Box & { readonly text: string };
}

/** Coordinates from the top left corner, in the user units of the picture. Plain JSON. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** By the id of a state, or of the dot before its first one. */
  readonly boxes: Readonly<Record<string, Box>>;
  readonly edges: readonly PlacedEdge[];
}
