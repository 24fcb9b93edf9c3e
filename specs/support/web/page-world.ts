/** A house with doors, its inspector, and the page of it in Chromium. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { assign, createMachine } from 'xstate';
import type { Browser, Page } from 'playwright-core';
import { startTree } from '../../../runtime/start-tree.ts';
import { startInspector } from '../../../runtime/web/inspector.ts';
import type { InspectorOptions } from '../../../runtime/web/inspector.ts';
import type { InspectorSources } from '../../../runtime/web/session.ts';
import { openPage } from '../browser.ts';

interface DoorContext {
  readonly opened: number;
  readonly by: string | null;
  readonly token: string;
}

/** Opens, closes, is locked only with a key, and breaks when it is slammed. */
export const doorMachine = createMachine(
  {
    id: 'door',
    types: {} as { context: DoorContext },
    context: { opened: 0, by: null, token: 'abracadabra' },
    initial: 'closed',
    states: {
      closed: {
        on: {
          open: { target: 'open', actions: 'count' },
          lock: { guard: 'hasKey', target: 'locked' },
          knock: { actions: 'ring' },
        },
      },
      open: { on: { close: 'closed', slam: { actions: 'breakHinge' } } },
      locked: { on: { unlock: 'closed' } },
    },
  },
  {
    guards: { hasKey: ({ event }) => (event as { key?: string }).key === 'right' },
    actions: {
      count: assign({
        opened: ({ context }) => context.opened + 1,
        by: ({ event }) => (event as { by?: string }).by ?? null,
      }),
      ring: () => {},
      breakHinge: () => {
        throw new Error('The hinge broke.');
      },
    },
  },
);

export interface PageWorldOptions extends InspectorOptions {
  readonly sources?: InspectorSources;
  /** Where the page is opened; default at home. */
  readonly hash?: string;
}

/** The part of an element of the page that is looked at here. */
interface Attributes {
  getAttribute(name: string): string | null;
}

const names = (states: readonly Attributes[]): (string | null)[] =>
  states.map((state) => state.getAttribute('data-state')).filter((name) => name !== '');

export type PageWorld = Awaited<ReturnType<typeof pageWorld>>;

/** Everything of it is real. */
export async function pageWorld(browser: Browser, options: PageWorldOptions = {}) {
  const { sources, hash = '', ...inspecting } = options;
  const tree = await startTree({
    id: 'house',
    type: 'supervisor',
    intensity: 100,
    children: [
      { id: 'door', logic: doorMachine },
      { id: 'window', logic: doorMachine },
      { id: 'garden', type: 'supervisor', children: [{ id: 'gate', logic: doorMachine }] },
    ],
  });
  const inspector = await startInspector(tree, inspecting, sources);
  const opened = await openPage(inspector.invite(), browser, { acceptDownloads: true });
  const { page, errors } = opened;
  const actor = (name: string) => page.getByRole('treeitem').filter({ hasText: name });
  await actor('gate').waitFor();
  if (hash !== '') await page.goto(`${page.url().replace(/#.*$/, '')}${hash}`);
  return {
    tree,
    inspector,
    page,
    errors,
    actor,
    chosen: (name: string) =>
      page.locator('[role=treeitem][aria-selected=true]', { hasText: name }),
    open: (name: string) => page.getByRole('navigation').getByRole('link', { name }).click(),
    lit: () => page.locator('.state.lit').evaluateAll(names),
    litIs: (state: string) => page.locator(`.state.lit[data-state="${state}"]`).waitFor(),
    select: async (name: string) => {
      await actor(name).click();
      await page.locator('svg.chart').waitFor();
    },
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await inspector.close();
      await tree.stop();
    },
  };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { html: string; failureSummary?: string }[];
  }[];
}

/** What axe finds wrong with the page as it is now, contrast included. */
export async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = (await page.evaluate('axe.run()')) as AxeResult;
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary ?? ''}`),
  );
}

/** The text of the file that a click brings, and its name. */
export async function download(page: Page, click: () => Promise<void>) {
  const [file] = await Promise.all([page.waitForEvent('download'), click()]);
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
}
