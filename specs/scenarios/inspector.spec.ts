/** The inspector as a person uses it: real Chromium, real tree. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createMachine } from 'xstate';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { startTree } from '../../runtime/start-tree.ts';
import { startInspector } from '../../runtime/web/inspector.ts';
import type { InspectorOptions } from '../../runtime/web/inspector.ts';
import { hasChromium, openPage } from '../support/browser.ts';

const doorMachine = createMachine(
  {
    id: 'door',
    initial: 'closed',
    states: {
      closed: { on: { open: 'open' } },
      open: { on: { close: 'closed', slam: { actions: 'breakHinge' } } },
    },
  },
  {
    actions: {
      breakHinge: () => {
        throw new Error('The hinge broke.');
      },
    },
  },
);

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { html: string }[];
  }[];
}

async function world(options: InspectorOptions = {}) {
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
  const inspector = await startInspector(tree, options);
  const opened = await openPage(inspector.invite());
  const { page, errors } = opened;
  const actor = (name: string) => page.getByRole('treeitem').filter({ hasText: name });
  await actor('gate').waitFor();
  return {
    tree,
    page,
    errors,
    actor,
    lit: () => page.locator('.state.lit').evaluateAll(names),
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

/** The part of an element of the page that is looked at here. */
interface Attributes {
  getAttribute(name: string): string | null;
}

const names = (states: readonly Attributes[]): (string | null)[] =>
  states.map((state) => state.getAttribute('data-state')).filter((name) => name !== '');

const violationsOf = async (page: Page): Promise<string[]> => {
  await page.evaluate(AXE);
  const { violations } = (await page.evaluate('axe.run()')) as AxeResult;
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
};

describe.skipIf(!hasChromium)('the inspector in Chromium', () => {
  it('shows the chosen actor, and lights its states and the transition it took', async () => {
    await using at = await world();
    await at.select('door');
    expect(await at.lit()).toEqual(['closed']);
    at.tree.send('house/door', { type: 'open' });
    await at.page.locator('.state.lit[data-state=open]').waitFor();
    expect(await at.lit()).toEqual(['open']);
    const taken = at.page.locator('.edge.taken');
    expect(await taken.getAttribute('data-transition')).toBe('closed|open|0');
    expect(at.page.url()).toMatch(/#\/actors\/house\/door$/);
    expect(at.errors).toEqual([]);
  });

  it('filters the tree', async () => {
    await using at = await world();
    at.tree.send('house/window', { type: 'open' });
    await at.page.getByLabel('Filter of the tree').fill('state:open');
    await at.actor('door').waitFor({ state: 'detached' });
    expect(await at.page.getByRole('treeitem').allInnerTexts()).toHaveLength(2);
  });

  it('goes back in time and comes back to now', async () => {
    await using at = await world();
    await at.select('door');
    for (const type of ['open', 'close', 'open'] as const) at.tree.send('house/door', { type });
    await at.page.getByText('3 steps kept').waitFor();
    await at.page.getByRole('button', { name: 'Back' }).click();
    await at.page.locator('.state.lit[data-state=closed]').waitFor();
    expect(at.page.url()).toMatch(/\?at=\d+$/);
    at.tree.send('house/door', { type: 'close' });
    await at.page.getByText('4 steps kept').waitFor();
    expect(await at.lit()).toEqual(['closed']);
    await at.page.getByRole('button', { name: '● now' }).click();
    expect(at.page.url()).not.toContain('at=');
  });

  it('keeps the choice over a restart, and counts it', async () => {
    await using at = await world();
    await at.select('door');
    at.tree.send('house/door', { type: 'open' });
    at.tree.send('house/door', { type: 'slam' });
    await at.page.locator('.facts dd', { hasText: /^1$/ }).first().waitFor();
    await at.page.locator('.state.lit[data-state=closed]').waitFor();
    expect(await at.actor('door').getAttribute('aria-selected')).toBe('true');
    await at.page.locator('.log .crash').waitFor();
  });

  it('is walked with the keyboard alone', async () => {
    await using at = await world();
    const { keyboard } = at.page;
    await keyboard.press('j');
    await keyboard.press('ArrowDown');
    await at.page.locator('[role=treeitem][aria-selected=true]', { hasText: 'door' }).waitFor();
    for (const key of ['j', 'j', 'h']) await keyboard.press(key);
    await at.actor('gate').waitFor({ state: 'detached' });
    for (const key of ['l', 'l']) await keyboard.press(key);
    await at.page.locator('[role=treeitem][aria-selected=true]', { hasText: 'gate' }).waitFor();
    await keyboard.press('/');
    await keyboard.type('window');
    await at.actor('gate').waitFor({ state: 'detached' });
  });

  it('sends where that is allowed, and only there', async () => {
    await using reading = await world();
    await reading.select('door');
    const barred = reading.page.getByRole('button', { name: 'open', exact: true });
    expect(await barred.isDisabled()).toBe(true);
    await using sending = await world({ allowSend: true });
    await sending.select('door');
    await sending.page.getByRole('button', { name: 'open', exact: true }).click();
    await sending.page.locator('.state.lit[data-state=open]').waitFor();
    expect(sending.tree.snapshotOf('house/door')).toMatchObject({ value: 'open' });
  });

  it('lists the machines with who stands where', async () => {
    await using at = await world();
    await at.page.getByRole('link', { name: 'Machines' }).click();
    await at.page.getByRole('cell', { name: 'closed 3' }).waitFor();
    await at.page.locator('svg.chart').waitFor();
  });

  it.each(['light', 'dark'])('has no fault that axe finds, in %s mode', async (theme) => {
    await using at = await world();
    await at.page.emulateMedia({ colorScheme: theme as 'light' | 'dark' });
    await at.select('door');
    expect(await violationsOf(at.page)).toEqual([]);
    await at.page.getByRole('link', { name: 'Events' }).click();
    expect(await violationsOf(at.page)).toEqual([]);
    await at.page.getByRole('link', { name: 'Machines' }).click();
    await at.page.locator('svg.chart').waitFor();
    expect(await violationsOf(at.page)).toEqual([]);
  });

  it('draws only what is in sight of 10,000 actors', async () => {
    await using at = await world();
    await Promise.all(
      Array.from({ length: 10_000 }, (_, index) =>
        at.tree.startChild('house/garden', { id: `plant-${index}`, logic: doorMachine }),
      ),
    );
    await at.page.getByText('10005 actors').waitFor();
    expect(await at.page.getByRole('treeitem').count()).toBeLessThan(100);
  });
});
