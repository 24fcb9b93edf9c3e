// Builds the pages when what is built is older: the inspector's from runtime/web/ui into
// runtime/web/dist, the feed's from runtime/web/ui/feed into runtime/web/dist/feed. The package has
// them built; a clone builds each at its first use.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, 'runtime', 'web', 'ui');

/** Where the page lies by default, beside the code that serves it. */
export const PAGE = join(root, 'runtime', 'web', 'dist');

/** Of all sources: the pages share styles. */
function isFresh(out) {
  const page = join(out, 'index.html');
  if (!existsSync(page)) return false;
  const builtAt = statSync(page).mtimeMs;
  return readdirSync(sources, { recursive: true })
    .map((name) => statSync(join(sources, name)))
    .every((file) => file.mtimeMs <= builtAt);
}

/**
 * Moves what was built to where it is served from: the page itself last and at once, so that whoever
 * asks meanwhile, or builds at the same time, has a whole page, the old one or the new one.
 */
function moveIn(built, out) {
  const assets = readdirSync(join(built, 'assets'));
  mkdirSync(join(out, 'assets'), { recursive: true });
  for (const name of assets) renameSync(join(built, 'assets', name), join(out, 'assets', name));
  renameSync(join(built, 'index.html'), join(out, 'index.html'));
  for (const name of readdirSync(join(out, 'assets')))
    if (!assets.includes(name)) rmSync(join(out, 'assets', name), { force: true });
}

/** As `buildPage`, of the feed. */
export const buildFeed = (out = join(PAGE, 'feed')) => buildPage(out, join(sources, 'feed'));

export async function buildPage(out = PAGE, from = sources) {
  if (isFresh(out)) return;
  const { build } = await import('vite');
  mkdirSync(out, { recursive: true });
  const built = mkdtempSync(join(out, '.new-'));
  try {
    await build({
      root: from,
      base: './',
      configFile: false,
      logLevel: 'error',
      // Also where a spec builds it: without the places of a development build.
      oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
      build: { outDir: built, emptyOutDir: true, target: 'es2022', modulePreload: false },
    });
    moveIn(built, out);
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
}
