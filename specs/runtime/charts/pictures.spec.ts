import { setup } from 'xstate';
import { describe, expect, it } from 'vitest';
import { chartOf } from '../../../runtime/charts/chart.ts';
import { layoutOf } from '../../../runtime/charts/layout.ts';
import { mermaidOf } from '../../../runtime/charts/mermaid.ts';
import { svgOf } from '../../../runtime/charts/svg.ts';
import { sampleMachine } from './sample-machine.ts';

const chart = chartOf(sampleMachine);

describe('mermaidOf', () => {
  it('draws nested, parallel, first and last states, and what is done in them', () => {
    expect(mermaidOf(chart)).toMatchInlineSnapshot(`
      "---
      title: sample
      ---
      stateDiagram-v2
        state "sample" as root_ {
          [*] --> idle
          state "idle" as idle
          idle : entry / remember
          idle : exit / shout
          idle : after 250 ms / shout
          state "both" as both {
            state "left" as both__left {
              [*] --> both__left__a
              state "a" as both__left__a
              state "b" as both__left__b
              both__left__b --> [*]
            }
            --
            state "right" as both__right {
              [*] --> both__right__c
              state "c" as both__right__c
              state "past" as both__right__past
            }
          }
          state "ended" as ended
          ended --> [*]
        }
        root_ --> ended : stop
        idle --> both : go [and(isReady, not(isLate))]
        idle --> ended : go
        idle --> ended : after 90 s
        idle --> ended : after computed
        both --> idle : done(both)
        both --> ended : done(fetchIt)
        both --> idle : error(fetchIt)
        both__left__a --> both__left__b : always
      "
    `);
  });

  it('escapes what would end a statement', () => {
    const odd = setup({}).createMachine({ id: 'odd', on: { 'a;b#c': { actions: [] } } });
    expect(mermaidOf(chartOf(odd))).toContain('root_ : a#59;b#35;c');
  });
});

describe('layoutOf', () => {
  it('falls back to a list of all states when the engine does not come back in time', async () => {
    const { boxes, edges, width, height } = await layoutOf(chart, { timeoutMs: 0 });
    expect(edges).toEqual([]);
    const all = Object.values(boxes);
    expect(all).toHaveLength(10);
    for (const box of all) {
      expect(box.x + box.width).toBeLessThanOrEqual(width);
      expect(box.y + box.height).toBeLessThanOrEqual(height);
    }
    expect(all.map(({ y }) => y)).toEqual(all.map(({ y }) => y).toSorted((a, b) => a - b));
  });
});

describe('svgOf', () => {
  it('escapes texts, and marks states and transitions with their ids', async () => {
    const svg = svgOf(chart, await layoutOf(chart));
    expect(svg).toContain('log.&lt;all&gt; / shout');
    expect(svg).not.toContain('<all>');
    expect(svg).toContain('data-state="both.left.a"');
    expect(svg).toContain('data-transition="idle|go|0"');
    expect(svg).toMatch(/<g class="edge error" data-transition="both\|xstate\.error\.actor[^"]*">/);
    expect(svg).toContain('<title id="chart-title">State chart of sample</title>');
  });

  it('loads and runs nothing', async () => {
    const svg = svgOf(chart, await layoutOf(chart));
    expect(svg).not.toMatch(/<script|<foreignObject|@import|url\((?!#)|href=/);
  });
});
