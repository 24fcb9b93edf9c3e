/** What a page costs in a real browser: frames, nodes, heap. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openPage } from '../../support/browser.ts';

/** How long a page is looked at. */
const WINDOW_MS = 3_000;
/** A frame that takes longer is seen as a hitch. */
const LONG_FRAME_MS = 50;

export interface FrameFigures {
  readonly perSecond: number;
  /** Frames over 50 ms in a second. */
  readonly longPerSecond: number;
}

export interface MeasuredPage extends AsyncDisposable {
  frames(): Promise<FrameFigures>;
  /** Milliseconds that its main thread works in a second. */
  work(): Promise<number>;
  nodes(): Promise<number>;
  /** Megabytes after a collection. */
  heap(): Promise<number>;
}

/** Opens the address, and waits for `text` to be on the page. */
export async function measuredPage(url: string, text?: string): Promise<MeasuredPage> {
  const opened = await openPage(url);
  const { page } = opened;
  if (text !== undefined) await page.getByText(text).first().waitFor({ timeout: 120_000 });
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const metric = async (name: string): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find((one) => one.name === name)?.value ?? Number.NaN;
  };
  return {
    frames: () => framesOf(page),
    work: async () => {
      const [before, fromMs] = [await metric('TaskDuration'), performance.now()];
      await pause(WINDOW_MS);
      const seconds = (performance.now() - fromMs) / 1_000;
      return (((await metric('TaskDuration')) - before) * 1_000) / seconds;
    },
    nodes: () => page.evaluate('document.querySelectorAll("*").length'),
    heap: async () => {
      await session.send('HeapProfiler.collectGarbage');
      return (await metric('JSHeapUsedSize')) / 1e6;
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/** In the page itself: the times between its frames. */
const COUNT_FRAMES = `new Promise((resolve) => {
  const startedMs = performance.now();
  let [count, long, lastMs] = [0, 0, startedMs];
  const frame = (nowMs) => {
    count++;
    if (nowMs - lastMs > ${LONG_FRAME_MS}) long++;
    lastMs = nowMs;
    if (nowMs - startedMs < ${WINDOW_MS}) requestAnimationFrame(frame);
    else resolve([count, long, nowMs - startedMs]);
  };
  requestAnimationFrame(frame);
})`;

async function framesOf(page: Page): Promise<FrameFigures> {
  const [count, long, ms] = await page.evaluate<[number, number, number]>(COUNT_FRAMES);
  return { perSecond: (count * 1_000) / ms, longPerSecond: (long * 1_000) / ms };
}
