// Takes the picture of the inspector that README.md shows, from a real mesh in a real Chromium:
// `npm run screenshot`. The mesh lives in a folder of its own and is gone afterwards.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { launchBrowser, openPage } from '../specs/support/browser.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = process.argv[2] ?? join(root, 'runtime', 'web', 'screenshot.webp');
const MESH = join(root, 'runtime', 'cli', 'main.ts');
const READY_MS = 60_000;
const SETTLED_MS = 1_500;
const QUALITY = 85;
const SIZE = { width: 1440, height: 900 };

/** The address of the inspector and the folder of the mesh, once the sample serves. */
function upAt(mesh) {
  const { promise, resolve, reject } = Promise.withResolvers();
  let said = '';
  const timer = setTimeout(() => reject(new Error(`The mesh is not up:\n${said}`)), READY_MS);
  mesh.stderr.setEncoding('utf8').on('data', (piece) => {
    said += piece;
    const [, url] = /inspect\s+(http:\S+)/.exec(said) ?? [];
    const [, home] = /control\s+(\S+)\/mesh\.sock/.exec(said) ?? [];
    if (home !== undefined) resolve({ url, home });
  });
  mesh.once('exit', () => reject(new Error(`The mesh ended:\n${said}`)));
  return promise.finally(() => clearTimeout(timer));
}

const filterTree = (page, text) => page.getByLabel('Filter of the tree').fill(text);

/** The pair of a node while its service is switched: states, transitions, messages of many kinds. */
async function compose(page, home) {
  await filterTree(page, 'machine:agent-app');
  await page.getByRole('treeitem').filter({ hasText: 'hello' }).first().click();
  await page.locator('svg.chart').waitFor();
  await execa(process.execPath, [MESH, '--home', home, 'restart', 'hello']);
  await filterTree(page, '');
  await page.locator('svg.chart .edge.taken').first().waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Only this actor' }).click();
  await page.evaluate('document.activeElement.blur()');
  await page.mouse.move(0, 0);
  // What moves has come to rest.
  await page.waitForTimeout(SETTLED_MS);
}

/** In WebP, which Playwright does not write: a third of the bytes of a PNG. */
async function take(page) {
  const session = await page.context().newCDPSession(page);
  const options = { format: 'webp', quality: QUALITY };
  const { data } = await session.send('Page.captureScreenshot', options);
  writeFileSync(out, Buffer.from(data, 'base64'));
}

const command = [MESH, 'dev', '--ephemeral', '--port', '0'];
const mesh = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'pipe'] });
const browser = await launchBrowser();
try {
  const { url, home } = await upAt(mesh);
  const { page } = await openPage(url, browser, { viewport: SIZE });
  await page.getByRole('treeitem').first().waitFor();
  await compose(page, home);
  await take(page);
  process.stderr.write(`screenshot: ${out}\n`);
} finally {
  await browser.close();
  mesh.kill('SIGINT');
}
