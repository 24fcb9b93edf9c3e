// Compiles the package: `node .ci/build.mjs [OUT]`, by default into dist/. What it makes is what is
// published (`npm publish ./dist`): plain JavaScript, types, and a package.json of its own without
// the repository's tools. Node strips types everywhere but below node_modules, hence the step.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFeed, buildPage } from './page.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = resolve(process.argv[2] ?? join(root, 'dist'));

const FOLDERS = ['machines', 'supervisor', 'actors', 'runtime'];
const DOCUMENTS = ['LICENSE', 'README.md', 'CHANGELOG.md'];

/** Fields that the package takes over as they stand; everything else belongs to the repository. */
const KEPT_FIELDS = [
  'name',
  'version',
  'description',
  'keywords',
  'license',
  'author',
  'repository',
  'homepage',
  'bugs',
  'type',
  'engines',
  'dependencies',
];

function fail(text) {
  process.stderr.write(`build: ${text}\n`);
  process.exit(1);
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function compile() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(tsc)) fail('TypeScript is not installed; run `node .ci/setup.mjs` first.');
  const config = join(root, '.ci', 'tsconfig.build.json');
  const { status } = spawnSync(process.execPath, [tsc, '-p', config, '--outDir', out], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) fail('the sources do not compile; nothing was built.');
}

// The compiler rewrites the extension in imports, not in the URLs of workers and assets.
const MODULE_URL = /(new URL\(\s*(['"`])\.{1,2}\/[^'"`]+)\.ts(\2\s*,\s*import\.meta\.url)/g;

function rewriteUrls() {
  for (const path of filesBelow(out).filter((one) => one.endsWith('.js'))) {
    const text = readFileSync(path, 'utf8');
    const rewritten = text.replaceAll(MODULE_URL, '$1.js$3');
    if (rewritten !== text) writeFileSync(path, rewritten);
  }
}

/** Services, manifests and pages that the runtime reads as files. */
function copyAssets() {
  for (const folder of FOLDERS)
    cpSync(join(root, folder), join(out, folder), {
      recursive: true,
      filter: (path) => !/\.(ts|tsx|md)$|\/web\/(ui|dist)$/.test(path),
    });
  for (const name of DOCUMENTS)
    if (existsSync(join(root, name))) cpSync(join(root, name), join(out, name));
}

const compiled = (path) => path.replace(/\.ts$/, '.js');
const typesOf = (path) => path.replace(/\.ts$/, '.d.ts');

function writeManifest() {
  const source = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const kept = Object.fromEntries(
    KEPT_FIELDS.filter((field) => field in source).map((field) => [field, source[field]]),
  );
  const entries = Object.entries(source.exports).map(([name, path]) => [
    name,
    path.endsWith('.ts') ? { types: typesOf(path), default: compiled(path) } : path,
  ]);
  const bin = Object.fromEntries(
    Object.entries(source.bin).map(([name, path]) => [name, compiled(path)]),
  );
  const promised = entries.flatMap(([, one]) =>
    typeof one === 'string' ? [] : Object.values(one),
  );
  for (const path of [...promised, ...Object.values(bin)])
    if (!existsSync(join(out, path)))
      fail(`${path} is promised by package.json and was not built.`);
  for (const path of Object.values(bin)) chmodSync(join(out, path), 0o755);
  const manifest = { ...kept, bin, exports: Object.fromEntries(entries) };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** A mistyped OUT must not cost anybody a folder. */
function clearOut() {
  const isOurs =
    !existsSync(out) ||
    readdirSync(out).length === 0 ||
    out === join(root, 'dist') ||
    existsSync(join(out, 'runtime', 'cli', 'main.js'));
  if (!isOurs) fail(`${out} holds something else; name an empty folder, or none for dist/.`);
  rmSync(out, { recursive: true, force: true });
}

clearOut();
compile();
rewriteUrls();
copyAssets();
await buildPage(join(out, 'runtime', 'web', 'dist'));
await buildFeed(join(out, 'runtime', 'web', 'dist', 'feed'));
writeManifest();
process.stderr.write(
  `build: ${filesBelow(out).length} files in ${relative(process.cwd(), out) || '.'}\n`,
);
