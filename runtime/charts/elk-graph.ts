/**
 * A chart as the graph that the layout engine takes. Sizes are computed from a font of fixed width,
 * so no browser is needed to measure a text.
 */
import type { ElkExtendedEdge, ElkNode, LayoutOptions } from 'elkjs/lib/elk-api.js';
import type { Chart, ChartState, ChartTransition } from './chart.ts';
import { statesOf } from './chart.ts';
import { notesOf } from './mermaid.ts';

/** Advance of one character and height of one line, in the user units of the picture. */
export const TITLE = { width: 7.3, height: 18 } as const;
export const NOTE = { width: 6.1, height: 14 } as const;
export const PADDING = 10;
export const DOT = 10;
/** Wider texts are cut; a picture is no place to read a paragraph. */
export const CHARACTERS_MAX = 48;

/** From the prettiest to the one that always comes to an end. */
export type LayoutStyle = 'orthogonal' | 'plain';

/** Nested nodes do not inherit any of these, so every node gets them all. */
const SHARED: LayoutOptions = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '34',
  'elk.layered.spacing.edgeNodeBetweenLayers': '18',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
};

const STYLES: Readonly<Record<LayoutStyle, LayoutOptions>> = {
  orthogonal: {
    'elk.edgeRouting': 'ORTHOGONAL',
    'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
    'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  },
  plain: { 'elk.edgeRouting': 'POLYLINE', 'elk.layered.nodePlacement.strategy': 'SIMPLE' },
};

/** The id of the small circle from which the first state of `state` is entered. */
export const dotOf = (id: string): string => `${id}|initial`;

export const cut = (text: string): string =>
  text.length > CHARACTERS_MAX ? `${text.slice(0, CHARACTERS_MAX - 1)}…` : text;

/** Lines below the name of a state. */
export const linesOf = (state: ChartState): string[] => [
  ...(state.tags.length === 0 ? [] : [state.tags.map((tag) => `#${tag}`).join(' ')]),
  ...notesOf(state),
];

export function elkGraphOf({ root }: Chart, style: LayoutStyle): ElkNode {
  const options = { ...SHARED, ...STYLES[style] };
  const states = [...statesOf(root)];
  return {
    id: 'picture',
    layoutOptions: { ...options, 'elk.padding': '[top=8,left=8,bottom=8,right=8]' },
    children: [nodeOf(root, options)],
    edges: [
      ...states.flatMap(initialEdges),
      ...states.flatMap(({ transitions }) => transitions.flatMap(edgesOf)),
    ],
  };
}

function nodeOf(state: ChartState, options: LayoutOptions): ElkNode {
  const { width, height } = sizeOf(state);
  if (state.states.length === 0) return { id: nodeIdOf(state.id), width, height };
  const dot = state.initial === undefined ? [] : [{ id: dotOf(state.id), width: DOT, height: DOT }];
  return {
    id: nodeIdOf(state.id),
    layoutOptions: {
      ...options,
      'elk.padding': `[top=${height + PADDING},left=14,bottom=14,right=14]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width},${height})`,
    },
    // Declared first, so that the start stands on top.
    children: [...dot, ...state.states.map((child) => nodeOf(child, options))],
  };
}

/** The engine takes no empty id. */
export const nodeIdOf = (id: string): string => `state|${id}`;

function sizeOf(state: ChartState): { width: number; height: number } {
  const lines = linesOf(state).map(cut);
  const widest = Math.max(
    cut(state.key).length * TITLE.width,
    ...lines.map((line) => line.length * NOTE.width),
  );
  return {
    width: Math.ceil(widest + 2 * PADDING),
    height: TITLE.height + lines.length * NOTE.height + PADDING,
  };
}

const initialEdges = ({ id, initial }: ChartState): ElkExtendedEdge[] =>
  initial === undefined
    ? []
    : [{ id: dotOf(id), sources: [dotOf(id)], targets: [nodeIdOf(initial)] }];

/** One for each target; only the first carries the text. */
function edgesOf({ id, source, targets, label }: ChartTransition): ElkExtendedEdge[] {
  return targets.map((target, index) => ({
    id: index === 0 ? id : `${id}|${index}`,
    sources: [nodeIdOf(source)],
    targets: [nodeIdOf(target)],
    labels: index === 0 ? [labelOf(label)] : [],
  }));
}

const labelOf = (label: string) => ({
  text: cut(label),
  width: Math.ceil(cut(label).length * NOTE.width + 8),
  height: NOTE.height,
});
