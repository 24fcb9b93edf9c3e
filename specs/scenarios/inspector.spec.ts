/** The inspector's tree and charts as a person uses them: real Chromium, real tree. */
import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchBrowser, openPage } from '../support/browser.ts';
import { doorMachine, pageWorld } from '../support/web/page-world.ts';
import type { PageWorldOptions } from '../support/web/page-world.ts';

describe.skipIf(!hasChromium)('the inspector in Chromium', () => {
  let browser: Browser;
  const world = (options?: PageWorldOptions) => pageWorld(browser, options);

  beforeAll(async () => {
    browser = await launchBrowser();
    return () => browser.close();
  });

  it('shows the chosen actor, and lights its states and the transition it took', async () => {
    await using at = await world();
    await at.select('door');
    expect(await at.lit()).toEqual(['closed']);
    at.tree.send('house/door', { type: 'knock' });
    at.tree.send('house/door', { type: 'open' });
    await at.litIs('open');
    expect(await at.lit()).toEqual(['open']);
    const taken = at.page.locator('.edge.taken');
    expect(await taken.getAttribute('data-transition')).toBe('closed|open|0');
    expect(await taken.locator('.flow').count()).toBe(1);
    expect(at.page.url()).toMatch(/#\/actors\/house\/door$/);
    expect(await at.page.locator('.field.changed').allInnerTexts()).toEqual(['opened 1']);
    expect(await at.page.locator('.json .secret').count()).toBe(1);
    expect(at.errors).toEqual([]);
  });

  it('names the guard that is false, before an event and after it', async () => {
    await using at = await world();
    await at.select('door');
    const barred = at.page.locator('.accepts .barred');
    await at.page.locator('[data-state=closed] .key').hover();
    expect(await at.page.locator('.edge.touched').count()).toBe(4);
    await at.page.locator('[data-state=locked] .key').hover();
    expect(await at.page.locator('.edge.touched').count()).toBe(2);
    expect(await barred.innerText()).toMatch(/^lock\s*hasKey is false$/);
    expect(await at.page.locator('.edge.barred .guard').textContent()).toBe(' ✗[hasKey]');
    at.tree.send('house/door', { type: 'lock' });
    await at.page.getByText('lock changed nothing: hasKey was false').waitFor();
    at.tree.send('house/door', { type: 'knock' });
    const stayed = at.page.locator('.note.taken');
    await stayed.waitFor();
    expect(await stayed.textContent()).toBe('knock / ring');
  });

  it('filters the tree, and keeps the filter in the address', async () => {
    await using at = await world();
    at.tree.send('house/window', { type: 'open' });
    await at.page.getByLabel('Filter of the tree').fill('state:open -kind:supervisor');
    await at.actor('door').waitFor({ state: 'detached' });
    // The window's news is told with the next tenth of a second.
    await at.page.getByText('2 of 5').waitFor();
    expect(await at.page.getByRole('treeitem').allInnerTexts()).toHaveLength(2);
    expect(at.page.url()).toContain('filter=state%3Aopen+-kind%3Asupervisor');
  });

  it('goes back in time, says that it is not now, and comes back', async () => {
    await using at = await world();
    await at.select('door');
    for (const type of ['open', 'close', 'open'] as const) at.tree.send('house/door', { type });
    await at.page.getByText('3 steps kept').waitFor();
    await at.page.getByRole('button', { name: 'Back', exact: true }).click();
    await at.litIs('closed');
    await at.page.getByText('Not live.').waitFor();
    expect(await at.page.locator('.frame.past').count()).toBe(1);
    expect(await at.page.locator('.accepts').count()).toBe(0);
    expect(at.page.url()).toMatch(/\?at=\d+$/);
    at.tree.send('house/door', { type: 'close' });
    await at.page.getByText('step 2 of 4').waitFor();
    expect(await at.lit()).toEqual(['closed']);
    await at.page.getByRole('button', { name: 'Back to now' }).click();
    expect(at.page.url()).not.toContain('at=');
    await at.page.getByText('4 steps kept').waitFor();
  });

  it('shows the same moment to whoever opens the same address', async () => {
    await using at = await world();
    await at.select('door');
    for (const type of ['open', 'close'] as const) at.tree.send('house/door', { type });
    await at.page.getByText('2 steps kept').waitFor();
    await at.page.keyboard.press('[');
    await at.litIs('open');
    const address = new URL(at.page.url());
    const invitation = new URL(at.inspector.invite());
    await using other = await openPage(invitation.href, browser);
    await other.page.goto(`${invitation.origin}/${address.hash}`);
    await other.page.locator('.state.lit[data-state=open]').waitFor();
    await other.page.getByText('step 1 of 2').waitFor();
  });

  it('keeps the choice over a restart, and counts it', async () => {
    await using at = await world();
    await at.select('door');
    at.tree.send('house/door', { type: 'open' });
    at.tree.send('house/door', { type: 'slam' });
    await at.page.locator('[data-count=restarts]', { hasText: /^1$/ }).waitFor();
    await at.litIs('closed');
    await at.chosen('door').waitFor();
    expect(await at.actor('door').innerText()).toContain('↻1');
    await at.page.locator('.log .crash').waitFor();
  });

  it('holds the view, and goes on where things are now', async () => {
    await using at = await world();
    await at.select('door');
    await at.page.keyboard.press(' ');
    await at.page.locator('.pulse.held').waitFor();
    at.tree.send('house/door', { type: 'open' });
    at.tree.send('house/door', { type: 'close' });
    at.tree.send('house/door', { type: 'open' });
    await at.page.getByText('Resume · 3 new').waitFor();
    expect(await at.lit()).toEqual(['closed']);
    expect(await at.page.locator('.log .row').count()).toBe(0);
    await at.page.keyboard.press(' ');
    await at.litIs('open');
    expect(await at.page.locator('.log .row').count()).toBe(3);
  });

  it('says so when it is cut off, and shows what it has', async () => {
    await using at = await world();
    await at.inspector.close();
    await at.page.locator('.pulse.lost').waitFor();
    expect(await at.actor('gate').count()).toBe(1);
  });

  it('is walked with the keyboard alone', async () => {
    await using at = await world();
    const { keyboard } = at.page;
    await keyboard.press('j');
    await keyboard.press('ArrowDown');
    await at.chosen('door').waitFor();
    for (const key of ['j', 'j', 'h']) await keyboard.press(key);
    await at.actor('gate').waitFor({ state: 'detached' });
    for (const key of ['l', 'l']) await keyboard.press(key);
    await at.chosen('gate').waitFor();
    await keyboard.press('?');
    await at.page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await keyboard.press('j');
    await keyboard.press('Escape');
    await at.chosen('gate').waitFor();
    await keyboard.press('/');
    await keyboard.type('window');
    await at.actor('gate').waitFor({ state: 'detached' });
    await keyboard.press('Escape');
    await keyboard.press('2');
    expect(at.page.url()).toMatch(/#\/machines$/);
    expect(await at.page.title()).toBe('house · machines');
  });

  it('draws what up to three pinned actors say to each other', async () => {
    await using at = await world();
    for (const name of ['door', 'window', 'gate']) {
      await at.actor(name).click();
      await at.page.keyboard.press('p');
    }
    await at.page.locator('.heads .head', { hasText: 'gate' }).waitFor();
    expect(await at.page.locator('.heads .head').count()).toBe(3);
    expect(at.page.url()).toContain('pin=house/door&pin=house/window&pin=house/garden/gate');
    at.tree.send('house/door', { type: 'open' });
    await at.page.locator('.message', { hasText: 'open → open' }).waitFor();
    expect(await at.page.locator('.heads .others').count()).toBe(1);
    await at.page.getByRole('button', { name: 'Unpin house/door' }).click();
    await at.page.locator('.message').waitFor({ state: 'detached' });
  });

  it('sends nothing where that is not allowed', async () => {
    await using at = await world();
    await at.select('door');
    const barred = at.page.getByRole('button', { name: 'open', exact: true });
    expect(await barred.isDisabled()).toBe(true);
    await at.page.getByText('mesh inspect --allow-send').waitFor();
  });

  it('sends where that is allowed, with data, after a second decision', async () => {
    await using at = await world({ allowSend: true });
    await at.select('door');
    await at.page.getByRole('button', { name: 'open', exact: true }).click();
    const dialog = at.page.getByRole('dialog', { name: 'Send open' });
    const data = dialog.getByLabel('Data, as a JSON object');
    await data.fill('{"by": ');
    const confirm = dialog.getByRole('button', { name: 'Send open' });
    expect(await confirm.isDisabled()).toBe(true);
    await data.fill('[]');
    await dialog.getByText('The data of an event is a JSON object.').waitFor();
    await data.fill('{"by": "me", "type": "slam"}');
    await confirm.click();
    await at.litIs('open');
    await at.page.getByText('open was sent to house/door').waitFor();
    await at.page.locator('.log .audit', { hasText: 'sent open from the page' }).waitFor();
    expect(at.tree.snapshotOf('house/door')).toMatchObject({
      value: 'open',
      context: { by: 'me' },
    });
  });

  it('offers an event whose guard may let it pass with data', async () => {
    await using at = await world({ allowSend: true });
    await at.select('door');
    await at.page.getByRole('button', { name: 'lock', exact: true }).click();
    const dialog = at.page.getByRole('dialog', { name: 'Send lock' });
    await dialog.getByText('is false for it without data').waitFor();
    await dialog.getByLabel('Data, as a JSON object').fill('{"key": "right"}');
    await dialog.getByRole('button', { name: 'Send lock' }).click();
    await at.litIs('locked');
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
    await at.page.getByLabel('Filter of the tree').fill('plant-9999');
    await at.page.getByText('3 of 10005').waitFor();
    await at.actor('plant-9999').click();
    await at.litIs('closed');
  });
});
