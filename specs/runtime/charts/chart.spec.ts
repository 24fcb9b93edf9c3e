import { describe, expect, it } from 'vitest';
import { chartOf, statesOf } from '../../../runtime/charts/chart.ts';
import type { ChartState } from '../../../runtime/charts/chart.ts';
import { sampleMachine } from './sample-machine.ts';

const chart = chartOf(sampleMachine);
const byId = new Map([...statesOf(chart.root)].map((state) => [state.id, state]));
const state = (id: string): ChartState => {
  const found = byId.get(id);
  if (found === undefined) throw new Error(`There is no state ${id}.`);
  return found;
};
const labels = (id: string): string[] =>
  state(id).transitions.map(({ label, targets }) => [label, ...targets].join(' > '));

describe('chartOf', () => {
  it('has every state, parents before their children', () => {
    expect([...byId.keys()]).toEqual([
      '',
      'idle',
      'both',
      'both.left',
      'both.left.a',
      'both.left.b',
      'both.right',
      'both.right.c',
      'both.right.past',
      'ended',
    ]);
    expect([...byId.values()].map(({ type }) => type)).toEqual([
      'compound',
      'atomic',
      'parallel',
      'compound',
      'atomic',
      'final',
      'compound',
      'atomic',
      'history',
      'final',
    ]);
    expect(state('both.left').initial).toBe('both.left.a');
  });

  it('names what a state does, without what XState adds for its timers', () => {
    expect(state('idle')).toMatchObject({ tags: ['quiet'], entry: ['remember'], exit: ['shout'] });
    expect(state('both').invokes).toEqual(['fetchIt']);
  });

  it('says how each transition is triggered, guarded and where it leads', () => {
    expect(labels('')).toEqual(['log.<all>', 'stop > ended']);
    expect(labels('idle')).toEqual([
      'go [and(isReady, not(isLate))] > both',
      'go > ended',
      'after 250 ms',
      'after 90 s > ended',
      'after computed > ended',
    ]);
    expect(labels('both')).toEqual([
      'done(both) > idle',
      'done(fetchIt) > ended',
      'error(fetchIt) > idle',
    ]);
    expect(labels('both.left.a')).toEqual(['always > both.left.b']);
  });

  it('gives every transition an id of its own', () => {
    const ids = [...byId.values()].flatMap(({ transitions }) => transitions.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('idle|go|1');
  });

  it('is plain JSON, and the same for a machine with other implementations', () => {
    expect(JSON.parse(JSON.stringify(chart))).toEqual(chart);
    expect(chartOf(sampleMachine.provide({ actions: { shout: () => undefined } }))).toEqual(chart);
  });
});
