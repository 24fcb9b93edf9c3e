/**
 * A chart as an SVG picture that stands alone: no script, no font to load, no style from outside. It
 * follows the reader's light or dark mode, and every state and transition carries its id, so that a
 * page can light them.
 */
import type { Chart, ChartState, ChartTransition, TransitionKind } from './chart.ts';
import { statesOf } from './chart.ts';
import { cut, dotOf, linesOf, NOTE, PADDING, TITLE } from './elk-graph.ts';
import type { Box, Layout, PlacedEdge, Point } from './layout.types.ts';

const STYLE = `
svg { --ink: #17202b; --soft: #5b6775; --line: #93a0b0; --box: #fff; --group: #f5f8fc; --bad: #b3261e;
  font: 10px ui-monospace, 'DejaVu Sans Mono', monospace; background: var(--box); }
@media (prefers-color-scheme: dark) { svg { --ink: #e6ebf2; --soft: #a3b0c0; --line: #6d7a8a;
  --box: #161b22; --group: #1c232d; --bad: #ff9d94; } }
.state > rect { fill: var(--box); stroke: var(--line); }
.state.group > rect { fill: var(--group); }
.state.parallel > rect { stroke-dasharray: 5 3; }
.state.final > rect + rect { fill: none; }
.key { fill: var(--ink); font-weight: 700; font-size: 12px; }
.note, .label text { fill: var(--soft); }
.edge path { fill: none; stroke: var(--line); }
.edge.after path { stroke-dasharray: 4 3; }
.edge.error path { stroke: var(--bad); } .edge.error text { fill: var(--bad); }
.label rect { fill: var(--box); opacity: 0.85; }
.dot, marker path { fill: var(--line); }
`;

const RADIUS = 5;
const MARKER =
  '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" ' +
  'orient="auto-start-reverse"><path d="M0 0 8 4 0 8Z"/></marker>';

/** The picture as text, newline at its end. */
export function svgOf(chart: Chart, layout: Layout): string {
  const states = [...statesOf(chart.root)];
  const kinds = new Map(
    states.flatMap(({ transitions }) => transitions.map((one) => [one.id, one] as const)),
  );
  const [width, height] = [Math.ceil(layout.width), Math.ceil(layout.height)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="chart-title">`,
    `<title id="chart-title">${escaped(`State chart of ${chart.name}`)}</title>`,
    `<style>${STYLE}</style>`,
    `<defs>${MARKER}</defs>`,
    ...states.flatMap((state) => stateMarkup(state, layout)),
    ...layout.edges.map((edge) => edgeMarkup(edge, transitionOf(edge, kinds))),
    '</svg>\n',
  ].join('\n');
}

/** Further targets of a transition have a number behind its id. */
const transitionOf = (
  { id }: PlacedEdge,
  kinds: ReadonlyMap<string, ChartTransition>,
): ChartTransition | undefined => kinds.get(id) ?? kinds.get(id.replace(/\|\d+$/, ''));

function stateMarkup(state: ChartState, layout: Layout): string[] {
  const box = layout.boxes[state.id];
  if (box === undefined) return [];
  const classes = ['state', state.type, ...(state.states.length > 0 ? ['group'] : [])].join(' ');
  const texts = linesOf(state).map((line, index) => {
    const y = box.y + TITLE.height + (index + 1) * NOTE.height - 2;
    return `<text class="note" x="${fixed(box.x + PADDING)}" y="${fixed(y)}">${escaped(cut(line))}</text>`;
  });
  const dot = layout.boxes[dotOf(state.id)];
  return [
    `<g class="${classes}" data-state="${escaped(state.id)}">`,
    rect(box),
    ...(state.type === 'final' ? [rect(inset(box))] : []),
    `<text class="key" x="${fixed(box.x + PADDING)}" y="${fixed(box.y + TITLE.height - 2)}">${escaped(cut(state.key))}</text>`,
    ...texts,
    '</g>',
    ...(dot === undefined ? [] : [dotMarkup(dot)]),
  ];
}

const dotMarkup = ({ x, y, width }: Box): string =>
  `<circle class="dot" cx="${fixed(x + width / 2)}" cy="${fixed(y + width / 2)}" r="${fixed(width / 2)}"/>`;

const rect = ({ x, y, width, height }: Box): string =>
  `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}" rx="${RADIUS}"/>`;

const inset = ({ x, y, width, height }: Box): Box => ({
  x: x + 3,
  y: y + 3,
  width: width - 6,
  height: height - 6,
});

function edgeMarkup(edge: PlacedEdge, transition: ChartTransition | undefined): string {
  const kind: TransitionKind | 'initial' = transition?.kind ?? 'initial';
  const id = transition === undefined ? '' : ` data-transition="${escaped(transition.id)}"`;
  const path = `<path d="${pathOf(edge.points)}" marker-end="url(#arrow)"/>`;
  return `<g class="edge ${kind}"${id}>${path}${labelMarkup(edge)}</g>`;
}

function labelMarkup({ label }: PlacedEdge): string {
  if (label === undefined) return '';
  const text = `<text x="${fixed(label.x + 4)}" y="${fixed(label.y + NOTE.height - 4)}">${escaped(label.text)}</text>`;
  return `<g class="label">${rect(label)}${text}</g>`;
}

/** Straight lines with rounded corners. */
function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  const parts = [`M${at(first)}`];
  let before = first;
  for (const [index, corner] of rest.entries()) {
    const next = rest[index + 1];
    if (next === undefined) parts.push(`L${at(corner)}`);
    else
      parts.push(`L${at(towards(corner, before))}`, `Q${at(corner)} ${at(towards(corner, next))}`);
    before = corner;
  }
  return parts.join('');
}

/** The point on the way from `corner` to `other` where the rounding begins. */
function towards(corner: Point, other: Point): Point {
  const length = Math.hypot(other.x - corner.x, other.y - corner.y);
  const share = length === 0 ? 0 : Math.min(RADIUS, length / 2) / length;
  return {
    x: corner.x + (other.x - corner.x) * share,
    y: corner.y + (other.y - corner.y) * share,
  };
}

const at = ({ x, y }: Point): string => `${fixed(x)} ${fixed(y)}`;

/** Tenths are finer than any screen, and the same on every machine. */
const fixed = (value: number): string => String(Math.round(value * 10) / 10);

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};
const escaped = (text: string): string => text.replace(/[&<>"]/g, (one) => ENTITIES[one] ?? one);
