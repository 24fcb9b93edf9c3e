import { createHash } from 'node:crypto';
import type { Chart } from '../charts/chart.ts';
import { layoutOf } from '../charts/layout.ts';
import type { Layout } from '../charts/layout.types.ts';

/** Definitions whose layout is remembered; the oldest gives way. */
const LAYOUTS_MAX = 500;

const known = new Map<string, Promise<Layout>>();

/**
 * The layout of a chart, computed once for all inspectors of this process: the one that shows and the
 * one that may send draw the same machines, and the engine takes a second to begin.
 */
export function sharedLayoutOf(chart: Chart): Promise<Layout> {
  const key = createHash('sha256').update(JSON.stringify(chart)).digest('base64url');
  const layout = known.get(key) ?? layoutOf(chart);
  known.set(key, layout);
  for (const oldest of known.keys()) if (known.size > LAYOUTS_MAX) known.delete(oldest);
  return layout;
}
