/**
 * The inspector beside `@statelyai/inspect`, both on 10,000 actors: what our page does in a real browser
 * at 5,000 events a second, what somebody is told who comes late, and what it costs the program that is
 * looked at. That package has no page of its own that works offline, so ours is held against an empty
 * one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { hasChromium } from '../support/browser.ts';
import { missing } from './harness.ts';
import type { BenchPlan, BenchRow, Measure } from './harness.ts';
import { measuredPage } from './inspector/browser-page.ts';
import type { MeasuredPage } from './inspector/browser-page.ts';
import { ACTORS } from './inspector/load.ts';
import type { Who } from './inspector/load.ts';
import { startProgram, watch } from './inspector/loaded.ts';

const EVENTS_A_SECOND = 5_000;
const FLAT_EVENTS = 100_000;
/** How long somebody who comes late listens. */
const LISTEN_MS = 2_000;
const EMPTY = 'an empty page';
const STATELY = '@statelyai/inspect';
const LOAD = `at ${ACTORS.toLocaleString('en')} actors and ${EVENTS_A_SECOND.toLocaleString('en')} events/s`;

interface Pages extends AsyncDisposable {
  readonly ours: MeasuredPage;
  readonly empty: MeasuredPage;
}

async function openPages(): Promise<Pages> {
  const program = await startProgram('ours');
  const ours = await measuredPage(program.url, 'plant-1');
  const empty = await measuredPage('about:blank');
  program.say(`pace ${EVENTS_A_SECOND}`);
  return {
    ours,
    empty,
    [Symbol.asyncDispose]: async () => {
      for (const one of [ours, empty, program]) await one[Symbol.asyncDispose]();
    },
  };
}

/** Told while that program is under the load, to somebody who came into the midst of it. */
const late =
  (who: 'ours' | 'stately', what: 'actors' | 'events'): Measure =>
  async () => {
    await using program = await startProgram(who);
    program.say(`pace ${EVENTS_A_SECOND}`);
    using seen = await watch(who, program.url);
    const before = seen.events;
    await pause(LISTEN_MS);
    if (what === 'events') return ((seen.events - before) * 1_000) / LISTEN_MS;
    return Math.min(seen.actors.size, ACTORS);
  };

/** Processor time of the program: what else runs on the machine has no part in it. */
const cpuSeconds =
  (who: Who): Measure =>
  async () => {
    await using program = await startProgram(who);
    using _seen = who === 'ours' || who === 'stately' ? await watch(who, program.url) : undefined;
    const seconds = await program.cpuSeconds(FLAT_EVENTS);
    return seconds;
  };

/** The pages, opened when they are first asked for. */
class SharedPages {
  #opened: Promise<Pages> | undefined;

  async close(): Promise<void> {
    const pages = this.#opened;
    this.#opened = undefined;
    await (await pages)?.[Symbol.asyncDispose]();
  }

  /** The browser is closed before programs are measured, which it would slow down. */
  alone(measure: Measure): Measure {
    return async () => {
      await this.close();
      return measure();
    };
  }

  row(
    metric: string,
    unit: string,
    better: BenchRow['better'],
    look: (page: MeasuredPage) => Promise<number>,
  ): BenchRow {
    const on = (which: 'ours' | 'empty') => async () =>
      look((await (this.#opened ??= openPages()))[which]);
    return {
      metric: `${metric} ${LOAD}`,
      unit,
      better,
      ours: hasChromium ? on('ours') : () => Number.NaN,
      peers: { [EMPTY]: hasChromium ? on('empty') : missing('there is no Chromium') },
    };
  }
}

const pageRows = (pages: SharedPages): BenchRow[] => [
  pages.row('frames of the page', 'frames/s', 'more', async (page) => {
    const { perSecond } = await page.frames();
    return perSecond;
  }),
  pages.row('frames over 50 ms', 'frames/s', 'less', async (page) => {
    const { longPerSecond } = await page.frames();
    return longPerSecond;
  }),
  pages.row('main thread of the page', 'ms/s', 'less', (page) => page.work()),
  pages.row('nodes of the page', 'nodes', 'less', (page) => page.nodes()),
  pages.row('heap of the page', 'MB', 'less', (page) => page.heap()),
];

const lateRows = (pages: SharedPages): BenchRow[] =>
  (['actors', 'events'] as const).map((what) => ({
    metric: `${what} that a late viewer ${what === 'actors' ? 'knows' : 'is told'} ${LOAD}`,
    unit: what === 'actors' ? 'actors' : 'events/s',
    better: 'more',
    ours: pages.alone(late('ours', what)),
    peers: { [STATELY]: pages.alone(late('stately', what)) },
  }));

const costRow = (pages: SharedPages): BenchRow => ({
  metric: `CPU of ${FLAT_EVENTS.toLocaleString('en')} events of ${ACTORS.toLocaleString('en')} actors, with a viewer`,
  unit: 's',
  better: 'less',
  ours: pages.alone(cpuSeconds('ours')),
  peers: {
    'ours, nobody looks': pages.alone(cpuSeconds('nobody')),
    [`XState with ${STATELY}`]: pages.alone(cpuSeconds('stately')),
    'XState alone': pages.alone(cpuSeconds('xstate')),
  },
});

export function bench(): BenchPlan {
  const pages = new SharedPages();
  return {
    dispose: () => pages.close(),
    rows: [...pageRows(pages), ...lateRows(pages), costRow(pages)],
  };
}
