/** The inspector's pages beside the tree, and what can be taken away from them: in real Chromium. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { chartOf } from '../../runtime/charts/chart.ts';
import { coverageOf } from '../../runtime/charts/coverage.ts';
import { mermaidOf } from '../../runtime/charts/mermaid.ts';
import { recordTree } from '../../runtime/web/recording/record-tree.ts';
import { hasChromium, launchBrowser } from '../support/browser.ts';
import { scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';
import { doorMachine, download, faultsOf, pageWorld } from '../support/web/page-world.ts';
import type { PageWorldOptions } from '../support/web/page-world.ts';
import { guardedMesh, sampleMesh, sampleMessages } from '../support/web/sample-mesh.ts';

const PAGES = ['Actors', 'Machines', 'Workloads', 'Mesh', 'Messages', 'Events'];

const DOOR = 'house/door';
const TYPES = ['knock', 'open', 'slam'];

/** What the focus stands on, as a person hears it. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(
    `(({ activeElement: one }) =>
      (one.getAttribute('aria-label') ?? one.innerText ?? '').trim().split('\\n')[0])(document)`,
  );

describe.skipIf(!hasChromium)("the inspector's pages in Chromium", () => {
  let browser: Browser;
  const world = (options?: PageWorldOptions) => pageWorld(browser, options);

  beforeAll(async () => {
    browser = await launchBrowser();
    return () => browser.close();
  });

  it('counts on the chart of a machine who stands where, and leads to them', async () => {
    await using at = await world();
    at.tree.send('house/window', { type: 'open' });
    await at.open('Machines');
    await at.page.getByRole('cell', { name: 'closed 2 open 1' }).waitFor();
    await at.page.locator('.standing').first().waitFor();
    expect(await at.page.locator('.standing text').allTextContents()).toEqual(['2', '1']);
    await at.page.getByRole('button', { name: 'Its actors' }).click();
    await at.page.getByText('5 of 5').waitFor();
    expect(at.page.url()).toMatch(/#\/actors\?filter=machine%3Adoor$/);
  });

  it('paints what specs took of a machine, and says what they never took', async () => {
    using folder = scratch();
    await using at = await world({ sources: { coverageDir: folder.path } });
    await at.open('Machines');
    await at.page.getByRole('button', { name: 'Coverage' }).click();
    await at.page.getByText('No coverage yet.').waitFor();
    const chart = chartOf(doorMachine);
    const counts = new Map([
      ['closed|open|0', 3],
      ['closed|knock|0', 1],
    ]);
    await writeFile(join(folder.path, 'door.json'), JSON.stringify(coverageOf(chart, counts)));
    await at.page.reload();
    await at.page.getByRole('button', { name: 'Coverage' }).click();
    await at.page.getByText('transitions were taken by specs').waitFor();
    expect(await at.page.locator('.edge.covered').count()).toBe(1);
    expect(await at.page.locator('.edge.covered .tally').textContent()).toBe('✓3');
    const missed = at.page.locator('.edge.missed .tally');
    expect(await missed.allTextContents()).toEqual(['✗', '✗', '✗']);
    expect(await at.page.locator('.note.covered').textContent()).toBe('✓knock / ring');
    await at.page.getByRole('cell', { name: '33 %' }).waitFor();
  });

  it('shows the workloads with the reasons of their deployments', async () => {
    await using at = await world({ sources: { mesh: sampleMesh() } });
    await at.open('Workloads');
    const app = at.page.getByRole('region', { name: 'App hello' });
    await app.getByText('hello-7 ended before it was healthy.').waitFor();
    await app.getByText('MESH_ERR_INSTANCE_EXITED').waitFor();
    await app.getByText('what it last wrote').click();
    await app.getByText('Error: no database').waitFor();
    expect(await app.getByRole('row').count()).toBe(3);
    expect(await app.getByRole('button', { name: 'Roll back…' }).count()).toBe(0);
  });

  it('rolls back where that is allowed, after a second decision', async () => {
    const mesh = sampleMesh();
    await mesh.fake.run({ app: 'hello', digest: '2'.repeat(64), min: 2, max: 2 });
    await using at = await world({ allowSend: true, sources: { mesh } });
    await at.open('Workloads');
    await at.page.getByRole('button', { name: 'Roll back…' }).click();
    const dialog = at.page.getByRole('dialog', { name: 'Roll hello back?' });
    await dialog.getByText('111111111111').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    expect(mesh.fake.calls.map(({ method }) => method)).toEqual(['run']);
    await at.page.getByRole('button', { name: 'Roll back…' }).click();
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    await at.page.getByText('hello is being rolled back, as generation 3.').waitFor();
    expect(mesh.fake.calls.at(-1)).toMatchObject({ method: 'rollback' });
    await at.open('Events');
    await at.page.locator('.log .audit', { hasText: 'rolled back from the page' }).waitFor();
  });

  it('shows the mesh: its Coordinator, its certificates and how long they last', async () => {
    await using at = await world({ sources: { mesh: sampleMesh() } });
    await at.open('Mesh');
    const region = (name: string) => at.page.getByRole('region', { name, exact: true });
    await region('Coordinator').getByText('It asks its peers for the state').waitFor();
    expect(await region('Coordinator').locator('.timeline li').count()).toBe(2);
    const ends = region('Certificates').locator('tbody tr td:last-child');
    const texts = (await ends.allInnerTexts()).map((text) => text.split('\n')[0]);
    expect(texts).toEqual([
      'in 23 h',
      'in 1 h, less than a quarter left',
      'expired 1 h ago',
      'in 20 h',
    ]);
    await region('Relay').getByText('wss://relay.mesh.local').waitFor();
    const picture = at.page.locator('svg.topology');
    expect(await picture.getAttribute('aria-label')).toContain('Coordinator: recovering');
  });

  it('says who may speak to whom, and whom the manifest lets in', async () => {
    await using at = await world({ sources: { mesh: guardedMesh() } });
    await at.open('Mesh');
    const access = at.page.getByRole('region', { name: 'Access', exact: true });
    const row = (name: RegExp) => access.getByRole('row', { name });
    await row(/^edge \S+ docs /)
      .getByText('so may anybody on this machine')
      .waitFor();
    const hello = await row(/^edge \S+ hello /).innerText();
    expect(hello).toContain('proven');
    expect(hello).toContain('accepts nobody but workload/hello');
    await row(/^owners/)
      .getByText('by the owner of any of 2 keys')
      .waitFor();
    await row(/^workload shop/)
      .getByText('any node of the manifest')
      .waitFor();
    expect(at.errors).toEqual([]);
  });

  it('shows the public feed as it grows, and marks what was not verified', async () => {
    const mesh = sampleMesh();
    await using at = await world({ sources: { mesh } });
    await at.open('Messages');
    const feed = at.page.getByRole('list', { name: 'Feed' });
    await feed.getByText('hello 2.0.0 serves.').waitFor();
    expect(await feed.locator('.unverified').innerText()).toContain('not verified');
    const [first] = sampleMessages();
    if (first) mesh.said.unshift({ ...first, id: 'm3', text: 'Live!', isVerified: true });
    await feed.getByText('Live!').waitFor();
    expect(await feed.locator('.unverified').count()).toBe(1);
  });

  it('says of each page that has nothing which command brings it', async () => {
    await using at = await world();
    for (const name of ['Workloads', 'Mesh', 'Messages']) {
      await at.open(name);
      await at.page.locator('.empty', { hasText: 'This is a tree of actors' }).waitFor();
      await at.page.locator('.empty code', { hasText: 'mesh dev' }).waitFor();
    }
  });

  it('invites to speak where nobody has said anything yet', async () => {
    const mesh = { ...sampleMesh(), messages: async () => [], peers: async () => [] };
    await using at = await world({ sources: { mesh } });
    await at.open('Messages');
    await at.page.locator('.empty .command', { hasText: 'mesh msg post' }).waitFor();
    await at.open('Mesh');
    await at.page.getByText('No peer has been seen yet.').waitFor();
  });

  it('filters the whole log in the words of the tree, and gives it as JSONL', async () => {
    await using at = await world();
    at.tree.send('house/door', { type: 'open' });
    at.tree.send('house/door', { type: 'slam' });
    at.tree.send('house/window', { type: 'open' });
    await at.open('Events');
    const filter = at.page.getByLabel('Filter of the log');
    await filter.fill('restarts>0 kind:event');
    await at.page.getByText('2 rows').waitFor();
    expect(at.page.url()).toContain('filter=restarts%3E0+kind%3Aevent');
    const file = await download(at.page, () =>
      at.page.getByRole('button', { name: 'JSONL' }).click(),
    );
    expect(file.name).toBe('mesh-events.jsonl');
    const rows = file.text.trimEnd().split('\n');
    expect(rows.map((row) => (JSON.parse(row) as { text: string }).text)).toEqual(['open', 'slam']);
  });

  it('shows a recording as if it were live, at every moment of it, and goes back', async () => {
    using folder = scratch();
    await using at = await world();
    const stop = new AbortController();
    const lines: string[] = [];
    const recorded = (async () => {
      for await (const line of recordTree(at.tree, { signal: stop.signal })) lines.push(line);
    })();
    // Its head, and what is there.
    await until(() => lines.length > 1);
    for (const type of TYPES) at.tree.send(DOOR, { type });
    await at.page.locator('.log .restart').waitFor();
    stop.abort();
    await recorded;
    const file = join(folder.path, 'house.jsonl');
    await writeFile(file, lines.map((line) => `${line}\n`).join(''));
    await at.open('Events');
    await at.page.getByLabel('A recording').setInputFiles(file);
    await at.page.locator('.pulse.recorded').waitFor();
    await at.page.locator('.log .row.event', { hasText: 'knock' }).getByRole('button').click();
    await at.open('Actors');
    await at.select('door');
    await at.page.getByText('Not live.').waitFor();
    expect(await at.lit()).toEqual(['closed']);
    await at.page.keyboard.press(']');
    await at.litIs('open');
    expect(await at.page.locator('.field.changed').innerText()).toMatch(/^opened\s*•?\s*1$/);
    expect(await at.page.getByRole('button', { name: 'slam' }).count()).toBe(0);
    await at.open('Workloads');
    await at.page.getByText('Not recorded').waitFor();
    await at.page.getByRole('button', { name: 'Close recording' }).click();
    await at.page.locator('.pulse.live').waitFor();
    expect(at.errors).toEqual([]);
  });

  it('refuses what is no recording, and stays where it is', async () => {
    using folder = scratch();
    await using at = await world({ hash: '#/events' });
    const file = join(folder.path, 'notes.jsonl');
    await writeFile(file, '{"shopping": "milk"}\n');
    await at.page.getByLabel('A recording').setInputFiles(file);
    await at.page.getByText('Opening the recording failed').waitFor();
    expect(await at.page.locator('.pulse.live').count()).toBe(1);
  });

  it('gives the shown chart as a picture that stands alone, as Mermaid and as data', async () => {
    await using at = await world();
    await at.select('door');
    at.tree.send('house/door', { type: 'open' });
    await at.litIs('open');
    const take = (name: string) =>
      download(at.page, async () => {
        await at.page.getByLabel('Export the chart').click();
        await at.page.getByRole('button', { name, exact: true }).click();
      });
    const picture = await take('SVG');
    expect(picture.name).toBe('door.svg');
    expect(picture.text).not.toMatch(/var\(|href=|<script/);
    await at.page.goto(`data:image/svg+xml,${encodeURIComponent(picture.text)}`);
    const lit = `getComputedStyle(document.querySelector('.state.lit > rect')).stroke`;
    expect(await at.page.evaluate(lit)).toBe('rgb(67, 71, 200)');
    await at.page.goBack();
    await at.page.locator('svg.chart').waitFor();
    const chart = chartOf(doorMachine);
    expect(await take('Mermaid')).toEqual({ name: 'door.mmd', text: mermaidOf(chart) });
    expect(JSON.parse((await take('JSON')).text)).toEqual(chart);
  });

  it('keeps light or dark as it was chosen, against the system', async () => {
    await using at = await world();
    await at.page.emulateMedia({ colorScheme: 'dark' });
    await at.page.locator('html[data-theme=dark]').waitFor();
    await at.page.getByRole('button', { name: 'Light or dark' }).click();
    await at.page.reload();
    await at.actor('gate').waitFor();
    expect(await at.page.locator('html').getAttribute('data-theme')).toBe('light');
  });

  it.each(['light', 'dark'] as const)('has no fault that axe finds, in %s mode', async (theme) => {
    await using at = await world({ allowSend: true, sources: { mesh: sampleMesh() } });
    await at.page.emulateMedia({ colorScheme: theme });
    await at.select('door');
    at.tree.send('house/door', { type: 'open' });
    await at.page.locator('.edge.taken').waitFor();
    expect(await faultsOf(at.page)).toEqual([]);
    await at.page.getByRole('button', { name: 'close', exact: true }).click();
    expect(await faultsOf(at.page)).toEqual([]);
    await at.page.keyboard.press('Escape');
    for (const name of PAGES.slice(1)) {
      await at.open(name);
      await at.page.locator('table, .feed, .list').first().waitFor();
      expect(await faultsOf(at.page), name).toEqual([]);
    }
  });

  it('takes the focus through the page in the order in which it is read', async () => {
    await using at = await world({ hash: '#/actors/house/door' });
    await at.page.locator('svg.chart').waitFor();
    const seen: string[] = [];
    for (let presses = 0; presses < 16; presses++) {
      await at.page.keyboard.press('Tab');
      seen.push(await focused(at.page));
    }
    expect(seen).toEqual([
      'house',
      ...PAGES,
      'Hold',
      'Keys',
      'Light or dark',
      'Filter of the tree',
      'Actors',
      'door',
      'Pin',
      'Chart, can be scrolled',
      'Smaller',
    ]);
  });
});
