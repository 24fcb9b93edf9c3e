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

export function bench(): BenchPlan {
  let opened: Promise<Pages> | undefined;
  const close = async (): Promise<void> => {
    const pages = opened;
    opened = undefined;
    await (await pages)?.[Symbol.asyncDispose]();
  };
  /** The browser is closed before programs are measured, which it would slow down. */
  const alone =
    (measure: Measure): Measure =>
    async () => {
      await close();
      return measure();
    };
  const seenOn =
    (which: keyof Omit<Pages, symbol>, look: (page: MeasuredPage) => Promise<number>): Measure =>
    async () =>
      look((await (opened ??= openPages()))[which]);
  const pageRow = (
    metric: string,
    unit: string,
    better: BenchRow['better'],
    look: (page: MeasuredPage) => Promise<number>,
  ): BenchRow => ({
    metric: `${metric} ${LOAD}`,
    unit,
    better,
    ours: hasChromium ? seenOn('ours', look) : () => Number.NaN,
    peers: { [EMPTY]: hasChromium ? seenOn('empty', look) : missing('there is no Chromium') },
  });
  return {
    dispose: close,
    rows: [
      pageRow(
        'frames of the page',
        'frames/s',
        'more',
        async (page) => (await page.frames()).perSecond,
      ),
      pageRow(
        'frames over 50 ms',
        'frames/s',
        'less',
        async (page) => (await page.frames()).longPerSecond,
      ),
      pageRow('nodes of the page', 'nodes', 'less', (page) => page.nodes()),
      pageRow('heap of the page', 'MB', 'less', (page) => page.heap()),
      {
        metric: `actors that a late viewer knows ${LOAD}`,
        unit: 'actors',
        better: 'more',
        ours: alone(late('ours', 'actors')),
        peers: { [STATELY]: alone(late('stately', 'actors')) },
      },
      {
        metric: `events that a late viewer is told ${LOAD}`,
        unit: 'events/s',
        better: 'more',
        ours: alone(late('ours', 'events')),
        peers: { [STATELY]: alone(late('stately', 'events')) },
      },
      {
        metric: `CPU of ${FLAT_EVENTS.toLocaleString('en')} events of ${ACTORS.toLocaleString('en')} actors, with a viewer`,
        unit: 's',
        better: 'less',
        ours: alone(cpuSeconds('ours')),
        peers: {
          'ours, nobody looks': alone(cpuSeconds('nobody')),
          [`XState with ${STATELY}`]: alone(cpuSeconds('stately')),
          'XState alone': alone(cpuSeconds('xstate')),
        },
      },
    ],
  };
}
