/** Every machine of the project, drawn. After a change of a machine: `npx vitest -u` on this file. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { MACHINES } from '../../../runtime/charts/catalog.ts';
import { chartOf, statesOf } from '../../../runtime/charts/chart.ts';
import { dotOf } from '../../../runtime/charts/elk-graph.ts';
import { layoutOf } from '../../../runtime/charts/layout.ts';
import type { Box } from '../../../runtime/charts/layout.types.ts';
import { mermaidOf } from '../../../runtime/charts/mermaid.ts';
import { svgOf } from '../../../runtime/charts/svg.ts';

const SOURCES = ['machines/**/*.machine.ts', 'supervisor/*.machine.ts'];

/** A slow machine must not get the simpler picture. */
const PATIENCE_MS = 60_000;

/** A picture is drawn to a tenth; sums of halves may differ by less than that. */
const TOLERANCE = 0.1;

const isInside = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x - TOLERANCE &&
  inner.y >= outer.y - TOLERANCE &&
  inner.x + inner.width <= outer.x + outer.width + TOLERANCE &&
  inner.y + inner.height <= outer.y + outer.height + TOLERANCE;

const isApart = (a: Box, b: Box): boolean =>
  a.x + a.width <= b.x + TOLERANCE ||
  b.x + b.width <= a.x + TOLERANCE ||
  a.y + a.height <= b.y + TOLERANCE ||
  b.y + b.height <= a.y + TOLERANCE;

/** Both specs of a machine look at the same picture. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}

describe('MACHINES', () => {
  it('has every machine of the project, by its id', async () => {
    const files = execFileSync('git', ['ls-files', ...SOURCES], { encoding: 'utf8' });
    const ids = await Promise.all(
      Object.values(MACHINES).map(async ({ load }) => (await load()).id),
    );
    expect(ids).toEqual(Object.keys(MACHINES));
    expect(ids).toHaveLength(files.trim().split('\n').length);
  });
});

describe.each(Object.entries(MACHINES))('the chart of %s', (name, { load }) => {
  const drawn = once(async () => {
    const chart = chartOf(await load());
    return { chart, layout: await layoutOf(chart, { timeoutMs: PATIENCE_MS }) };
  });

  it('is drawn as before', async () => {
    const { chart, layout } = await drawn();
    await expect(mermaidOf(chart)).toMatchFileSnapshot(`golden/${name}.mmd`);
    await expect(svgOf(chart, layout)).toMatchFileSnapshot(`golden/${name}.svg`);
  });

  it('has every state inside its parent and beside its siblings, and every transition', async () => {
    const { chart, layout } = await drawn();
    const { boxes, edges } = layout;
    const arrows = new Set(edges.filter(({ points }) => points.length > 1).map(({ id }) => id));
    for (const state of statesOf(chart.root)) {
      const box = boxes[state.id];
      if (box === undefined) throw new Error(`${state.id} is not in the picture.`);
      const inside = state.states.map(({ id }) => boxes[id]).filter((child) => child !== undefined);
      expect(inside.filter((child) => !isInside(child, box))).toEqual([]);
      for (const [index, child] of inside.entries())
        expect(inside.slice(index + 1).filter((other) => !isApart(child, other))).toEqual([]);
      const moving = state.transitions.filter(({ targets }) => targets.length > 0);
      expect(moving.filter(({ id }) => !arrows.has(id))).toEqual([]);
      expect(state.initial === undefined || arrows.has(dotOf(state.id))).toBe(true);
    }
  });
});
