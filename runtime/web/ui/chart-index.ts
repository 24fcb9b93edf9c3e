/** What the picture of a chart is drawn from, looked up by id. */
import { statesOf } from '../../charts/chart.ts';
import type { Chart, ChartState, ChartTransition } from '../../charts/chart.ts';
import { CHARACTERS_MAX, cut, linesOf } from '../../charts/elk-graph.ts';

/** A line below the name of a state; with the transition that it tells of, where it tells of one. */
export interface NoteLine {
  readonly text: string;
  readonly transition?: string;
}

export interface DrawnState {
  readonly state: ChartState;
  readonly notes: readonly NoteLine[];
}

export interface ChartIndex {
  readonly states: readonly DrawnState[];
  /** Also by the ids of the arrows to further targets. */
  readonly transitions: ReadonlyMap<string, ChartTransition>;
}

/** Made once for a definition. */
export function indexOf({ root }: Chart): ChartIndex {
  const states = [...statesOf(root)];
  const all = states.flatMap(({ transitions }) => transitions);
  return {
    states: states.map((state) => ({ state, notes: notesOf(state) })),
    transitions: new Map(
      all.flatMap((one) => [
        [one.id, one] as const,
        ...one.targets.slice(1).map((_, index) => [`${one.id}|${index + 1}`, one] as const),
      ]),
    ),
  };
}

/** Transitions that stay where they are come last among the lines of their state. */
function notesOf(state: ChartState): NoteLine[] {
  const lines = linesOf(state).map(cut);
  const staying = state.transitions.filter(({ targets }) => targets.length === 0);
  const first = lines.length - staying.length;
  return lines.map((text, index) => {
    const transition = staying[index - first]?.id;
    return transition === undefined ? { text } : { text, transition };
  });
}

/** `event [guard]` in two, so that each can be drawn in its own way; cut as the layout was. */
export function labelParts(text: string): { readonly event: string; readonly guard: string } {
  const place = text.indexOf(' [');
  return place < 0 || place > CHARACTERS_MAX
    ? { event: text, guard: '' }
    : { event: text.slice(0, place), guard: text.slice(place) };
}

export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The smallest frame around the deepest of these states; undefined where none is drawn. */
export function frameOf(
  active: readonly string[],
  boxes: Readonly<Record<string, Frame>>,
): Frame | undefined {
  const leaves = active.filter((id) => !active.some((other) => other.startsWith(`${id}.`)));
  const found = leaves.flatMap((id) => boxes[id] ?? []);
  if (found.length === 0) return undefined;
  const x = Math.min(...found.map((box) => box.x));
  const y = Math.min(...found.map((box) => box.y));
  return {
    x,
    y,
    width: Math.max(...found.map((box) => box.x + box.width)) - x,
    height: Math.max(...found.map((box) => box.y + box.height)) - y,
  };
}

const RADIUS = 6;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Straight lines with rounded corners. */
export function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  const parts = [`M${first.x} ${first.y}`];
  let before = first;
  for (const [index, corner] of rest.entries()) {
    const next = rest[index + 1];
    if (next === undefined) parts.push(`L${corner.x} ${corner.y}`);
    else parts.push(rounded(corner, before, next));
    before = corner;
  }
  return parts.join('');
}

function rounded(corner: Point, before: Point, next: Point): string {
  const [from, to] = [towards(corner, before), towards(corner, next)];
  return `L${from.x} ${from.y}Q${corner.x} ${corner.y} ${to.x} ${to.y}`;
}

function towards(corner: Point, other: Point): Point {
  const length = Math.hypot(other.x - corner.x, other.y - corner.y);
  const share = length === 0 ? 0 : Math.min(RADIUS, length / 2) / length;
  return {
    x: corner.x + (other.x - corner.x) * share,
    y: corner.y + (other.y - corner.y) * share,
  };
}
