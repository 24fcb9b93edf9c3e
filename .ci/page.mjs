// Builds the page of the inspector from runtime/web/ui into runtime/web/dist, when that is older. The
// package has it built; a clone builds it at the first use.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, 'runtime', 'web', 'ui');

/** Where the page lies by default, beside the code that serves it. */
export const PAGE = join(root, 'runtime', 'web', 'dist');

function isFresh(out) {
  const page = join(out, 'index.html');
  if (!existsSync(page)) return false;
  const builtAt = statSync(page).mtimeMs;
  return readdirSync(sources, { recursive: true })
    .map((name) => statSync(join(sources, name)))
    .every((file) => file.mtimeMs <= builtAt);
}

export async function buildPage(out = PAGE) {
  if (isFresh(out)) return;
  const { build } = await import('vite');
  await build({
    root: sources,
    base: './',
    configFile: false,
    logLevel: 'error',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: { outDir: out, emptyOutDir: true, target: 'es2022', modulePreload: false },
  });
}
