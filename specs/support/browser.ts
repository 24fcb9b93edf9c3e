/** Debian's Chromium, driven by playwright-core; specs that need it are skipped where it is not. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** `apt-get install chromium` brings it. */
export const hasChromium = existsSync(CHROMIUM);

export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** What the page complained of. */
  readonly errors: readonly string[];
}

/** One process of it; each page opened in it has a profile of its own. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    // Its own sandbox does not work for root, as which continuous integration runs.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });

/** A fresh profile at that address, in a browser of its own unless one is given. */
export async function openPage(
  url: string,
  shared?: Browser,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const browser = shared ?? (await launchBrowser());
  const context = await browser.newContext({
    viewport: { width: 1600, height: 950 },
    ...options,
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(url);
  const close = (): Promise<void> => (shared ? context.close() : browser.close());
  return { page, errors, [Symbol.asyncDispose]: close };
}
