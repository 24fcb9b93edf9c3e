/** The feed as a person uses it: real Chromium, a peer's real store. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { Browser, Page, WebSocketRoute } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchBrowser, openPage } from '../support/browser.ts';
import { feedWorld } from '../support/gossip/feed-world.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

const shown = (page: Page): Promise<string[]> => page.locator('li .text').allInnerTexts();

describe.skipIf(!hasChromium)('the feed in Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser();
    return () => browser.close();
  });

  it('shows what is there, and messages as they arrive, newest first', async () => {
    await using at = await feedWorld();
    await at.source.post({ text: 'before' });
    await using open = await openPage(at.feed.invite(), browser);
    const { page } = open;
    await page.getByText('before').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    await at.source.post({ text: 'after\nin two lines' });
    await page.getByText('in two lines').waitFor();
    expect(await shown(page)).toEqual(['after\nin two lines', 'before']);
    expect(new URL(page.url()).search).toBe('');
    expect(open.errors).toEqual([]);
  });

  it('posts as the peer, by keyboard too, and shows what a stranger writes as text', async () => {
    await using at = await feedWorld();
    await using open = await openPage(at.feed.invite(), browser);
    const { page } = open;
    const box = page.getByLabel('Post to everybody');
    expect(await page.getByRole('button', { name: 'Post' }).isDisabled()).toBe(true);
    await box.fill('hello');
    await page.getByRole('button', { name: 'Post' }).click();
    await page.locator('li .text', { hasText: 'hello' }).waitFor();
    await box.fill('by keyboard');
    await box.press('Control+Enter');
    await page.locator('li .text', { hasText: 'by keyboard' }).waitFor();
    expect(await box.inputValue()).toBe('');
    await at.hear('<img src=x onerror="document.title=1"> \u202Eesrever');
    const strange = page.locator('li.unverified');
    await strange.waitFor();
    expect(await strange.locator('.text').innerText()).toContain('<img src=x');
    expect(await page.locator('li img').count()).toBe(0);
    expect(await page.locator('li .author').allInnerTexts()).toContain('this peer');
    expect(open.errors).toEqual([]);
  });

  it('marks what is not verified, until its author is known', async () => {
    await using at = await feedWorld();
    await using open = await openPage(at.feed.invite(), browser);
    const { page } = open;
    const heard = await at.hear('who am I?');
    await page.getByText('not verified').waitFor();
    await at.meet(heard);
    await page.getByText('not verified').waitFor({ state: 'detached' });
    expect(await shown(page)).toEqual(['who am I?']);
  });

  it('misses nothing while its stream is broken', async () => {
    await using at = await feedWorld();
    await at.source.post({ text: 'one' });
    const context = await browser.newContext();
    const page = await context.newPage();
    const asked: string[] = [];
    const streams: WebSocketRoute[] = [];
    await page.routeWebSocket(/\/live/, (stream) => {
      asked.push(new URL(stream.url()).search);
      streams.push(stream);
      stream.connectToServer();
    });
    await page.goto(at.feed.invite());
    await page.getByText('live', { exact: true }).waitFor();
    await streams[0]?.close();
    await page.getByText('reconnecting').waitFor();
    for (const text of ['two', 'three']) await at.source.post({ text });
    await page.getByText('three').waitFor();
    expect(await shown(page)).toEqual(['three', 'two', 'one']);
    expect(asked).toEqual(['?after=1', '?after=1']);
    await context.close();
  });

  it('can be used by everybody: axe finds nothing, in light and in dark', async () => {
    await using at = await feedWorld();
    await at.source.post({ text: 'hello' });
    await at.hear('a stranger');
    for (const colorScheme of ['light', 'dark'] as const) {
      await using open = await openPage(at.feed.invite(), browser, { colorScheme });
      const { page } = open;
      await page.getByText('not verified').waitFor();
      // The policy of the page takes no script of others, so the browser is asked to run it.
      await page.evaluate(readFileSync(AXE, 'utf8'));
      const found = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        };
        const { violations } = await axe.run();
        return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
      });
      expect(found).toEqual([]);
    }
  });
});
