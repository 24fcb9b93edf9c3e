/** Where everything of a chart stands in its picture. */
import { Worker } from 'node:worker_threads';
import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import type { Chart } from './chart.ts';
import { statesOf } from './chart.ts';
import { elkGraphOf, nodeIdOf } from './elk-graph.ts';
import type { LayoutStyle } from './elk-graph.ts';
import type { Box, Layout, PlacedEdge } from './layout.types.ts';

/**
 * A layout that takes longer never ends: the engine has options under which it does not. The whole
 * catalogue of this project takes a fraction of a second each.
 */
const LAYOUT_TIMEOUT_MS = 10_000;
const STYLES: readonly LayoutStyle[] = ['orthogonal', 'plain'];
const WORKER = new URL('../workers/layout.worker.ts', import.meta.url);

export interface LayoutOptions {
  /** For each attempt. Default 10,000. */
  readonly timeoutMs?: number;
}

/**
 * Computed in a thread, which is ended when it takes too long. Then a simpler style is tried, and at
 * last the states stand in a plain list without arrows; so there always is a picture.
 */
export async function layoutOf(chart: Chart, options: LayoutOptions = {}): Promise<Layout> {
  const { timeoutMs = LAYOUT_TIMEOUT_MS } = options;
  for (const style of STYLES) {
    const placed = await inThread(elkGraphOf(chart, style), timeoutMs);
    if (placed !== undefined) return layoutFrom(placed);
  }
  return listOf(chart);
}

async function inThread(graph: ElkNode, timeoutMs: number): Promise<ElkNode | undefined> {
  const { promise, resolve } = Promise.withResolvers<ElkNode | undefined>();
  const worker = new Worker(WORKER, { workerData: graph });
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  worker.once('message', resolve);
  // What the engine cannot do is answered by the next style, and at last by the list.
  worker.once('error', () => resolve(undefined));
  worker.once('exit', () => resolve(undefined));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

function layoutFrom(picture: ElkNode): Layout {
  const boxes: Record<string, Box> = {};
  const visit = (node: ElkNode): void => {
    boxes[node.id.replace(/^state\|/, '')] = boxOf(node);
    for (const child of node.children ?? []) visit(child);
  };
  for (const child of picture.children ?? []) visit(child);
  return {
    width: picture.width ?? 0,
    height: picture.height ?? 0,
    boxes,
    edges: (picture.edges ?? []).map(edgeFrom),
  };
}

const boxOf = ({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box => ({
  x,
  y,
  width,
  height,
});

function edgeFrom({ id, sections = [], labels = [] }: ElkExtendedEdge): PlacedEdge {
  const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [
    startPoint,
    ...bendPoints,
    endPoint,
  ]);
  const [label] = labels;
  return {
    id,
    points: points.map(({ x, y }) => ({ x, y })),
    ...(label === undefined ? {} : { label: { ...boxOf(label), text: label.text ?? '' } }),
  };
}

/** Every state below the one before it, moved in by its depth. */
function listOf(chart: Chart): Layout {
  const graph = elkGraphOf(chart, 'plain');
  const sizes = new Map<string, ElkNode>();
  const measure = (node: ElkNode): void => {
    sizes.set(node.id, node);
    for (const child of node.children ?? []) measure(child);
  };
  measure(graph);
  const boxes: Record<string, Box> = {};
  let [width, y] = [0, 8];
  for (const { id } of statesOf(chart.root)) {
    const node = sizes.get(nodeIdOf(id));
    const x = 8 + (id === '' ? 0 : id.split('.').length * 24);
    const box = { x, y, width: node?.width ?? 160, height: node?.height ?? 28 };
    boxes[id] = box;
    y += box.height + 8;
    width = Math.max(width, x + box.width + 8);
  }
  return { width, height: y, boxes, edges: [] };
}
