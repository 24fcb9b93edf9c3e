import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import { chartOf } from '../../../runtime/charts/chart.ts';
import { linesOf } from '../../../runtime/charts/elk-graph.ts';
import { frameOf, indexOf, labelParts, pathOf } from '../../../runtime/web/ui/chart-index.ts';

const chart = chartOf(
  createMachine({
    id: 'kettle',
    initial: 'idle',
    states: {
      idle: {
        tags: ['calm'],
        entry: 'rest',
        on: { fill: { actions: 'addWater' }, heat: { target: ['#boiling', '#steaming'] } },
      },
      hot: {
        type: 'parallel',
        states: {
          water: { initial: 'boiling', states: { boiling: { id: 'boiling' } } },
          air: { initial: 'steaming', states: { steaming: { id: 'steaming' } } },
        },
      },
    },
  }),
);

describe('indexOf', () => {
  it('tells which line of a state is a transition that stays there', () => {
    const idle = indexOf(chart).states.find(({ state }) => state.id === 'idle');
    expect(idle?.notes).toEqual([
      { text: '#calm' },
      { text: 'entry / rest' },
      { text: 'fill / addWater', transition: 'idle|fill|0' },
    ]);
    expect(idle?.notes.map(({ text }) => text)).toEqual(idle && linesOf(idle.state));
  });

  it('finds a transition also by the arrow to its second target', () => {
    const { transitions } = indexOf(chart);
    expect(transitions.get('idle|heat|0|1')).toBe(transitions.get('idle|heat|0'));
  });
});

describe('labelParts', () => {
  it.each([
    ['heat', 'heat', ''],
    ['heat [hasWater]', 'heat', ' [hasWater]'],
    ['always [and(a, not(b))]', 'always', ' [and(a, not(b))]'],
  ])('parts %j', (text, event, guard) => {
    expect(labelParts(text)).toEqual({ event, guard });
  });
});

describe('frameOf', () => {
  const boxes = {
    hot: { x: 0, y: 0, width: 500, height: 500 },
    'hot.water': { x: 10, y: 20, width: 30, height: 40 },
    'hot.air': { x: 100, y: 5, width: 10, height: 10 },
  };

  it('is around the deepest active states', () => {
    expect(frameOf(['hot', 'hot.water', 'hot.air'], boxes)).toEqual({
      x: 10,
      y: 5,
      width: 100,
      height: 55,
    });
  });

  it('is none where nothing is drawn', () => {
    expect(frameOf(['gone'], boxes)).toBeUndefined();
  });
});

describe('pathOf', () => {
  it('rounds its corners, and a short leg by half of it', () => {
    const points = [
      { x: 0, y: 0 },
      { x: 100, y: 0 },
      { x: 100, y: 4 },
    ];
    expect(pathOf(points)).toBe('M0 0L94 0Q100 0 100 2L100 4');
    expect(pathOf([])).toBe('');
  });
});
