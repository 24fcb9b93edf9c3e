/** Debian's Chromium, driven by playwright-core; specs that need it are skipped where it is not. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** `apt-get install chromium` brings it. */
export const hasChromium = existsSync(CHROMIUM);

export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** What the page complained of. */
  readonly errors: readonly string[];
}

/** A fresh profile at that address. */
export async function openPage(url: string): Promise<OpenPage> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    // Its own sandbox does not work for root, as which continuous integration runs.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  const page = await browser.newPage({ viewport: { width: 1600, height: 950 } });
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(url);
  return { page, errors, [Symbol.asyncDispose]: () => browser.close() };
}
