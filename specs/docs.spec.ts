/** The documents say what is so: their snippets, links, commands and examples. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { parseManifestSource } from '../machines/workload/manifest.schema.ts';
import { COMMANDS } from '../runtime/cli/command-table.ts';
import { parseProjectFile } from '../runtime/config.schema.ts';
import { anchorsOf, blocksOf, linksOf } from './support/docs/markdown.ts';
import type { Block } from './support/docs/markdown.ts';
import { runDocument } from './support/docs/run-document.ts';
import { stepsOf } from './support/docs/transcript.ts';
import { scratch } from './support/scratch.ts';
import { loadHouse } from './support/tidy/house.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { files } = await loadHouse(root);
const documents = files.filter(({ path }) => path.endsWith('.md'));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** Languages that are checked, and those that are only shown. */
const LANGUAGES = ['sh', 'console', 'ts', 'js', 'json', 'toml', 'mermaid', 'text'];

/** Faults of one block that need no running. */
function faultOf(block: Block): string | undefined {
  const { language, path, text } = block;
  if (!LANGUAGES.includes(language)) return `language "${language}" is none of ${LANGUAGES.join()}`;
  if (block.options['norun'] === '') return 'norun needs its reason';
  try {
    if (language === 'json') JSON.parse(text);
    if (language === 'toml') parseToml(text);
    if (language === 'sh' || language === 'console') stepsOf(block);
  } catch (cause) {
    return String(cause);
  }
  if (language === 'js' && path === undefined) return 'js names no file for the reader to make';
  if (language !== 'ts') return undefined;
  if (!path?.startsWith('specs/examples/')) return 'ts names no file below specs/examples/';
  if (!existsSync(join(root, path))) return `${path} does not exist`;
  return read(path).trim() === text.trim() ? undefined : `differs from ${path}`;
}

const faultsOf = (markdown: string): string[] =>
  blocksOf(markdown).flatMap((block) => {
    const fault = faultOf(block);
    return fault === undefined ? [] : [`line ${block.line}: ${fault}`];
  });

function brokenLinksOf(path: string, markdown: string): string[] {
  return linksOf(markdown)
    .filter(({ target }) => !/^https?:/.test(target))
    .filter(({ target }) => {
      const [file = '', anchor] = target.split('#');
      const to = normalize(join(dirname(path), file));
      if (file !== '' && !existsSync(join(root, to))) return true;
      return anchor !== undefined && !anchorsOf(file === '' ? markdown : read(to)).has(anchor);
    })
    .map(({ target, line }) => `line ${line}: ${target}`);
}

/** Sources named in running text that no file of the project is. */
function absentSourcesOf(markdown: string): string[] {
  const named = [...markdown.matchAll(/`([\w./-]+\.(?:ts|mjs))`/g)].map(([, name = '']) => name);
  return named.filter((name) => !files.some(({ path }) => `/${path}`.endsWith(`/${name}`)));
}

describe.each(documents)('$path', ({ path, text }) => {
  it('has snippets that are checked', () => {
    expect(faultsOf(text)).toEqual([]);
  });

  it('has links that lead somewhere', () => {
    expect(brokenLinksOf(path, text)).toEqual([]);
  });

  it('names sources that exist', () => {
    expect(absentSourcesOf(text)).toEqual([]);
  });

  it('names npm scripts that exist', () => {
    const named = [...text.matchAll(/npm run (?:-s )?([a-z]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

/** Paths of the leaves of a manifest, with their defaults as JSON. */
function fieldsOf(value: object, prefix = ''): [path: string, value: string][] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) && inner !== EMPTY_ENV
      ? fieldsOf(inner, `${prefix}${key}.`)
      : [[`${prefix}${key}`, JSON.stringify(inner)] as [string, string]],
  );
}
const EMPTY_ENV = {};

describe('README.md as a reference', () => {
  const readme = read('README.md');
  const required = { name: 'a', version: '1.0.0' };

  it('lists every field of the manifest with its default', () => {
    const defaults = parseManifestSource(required);
    const rows = fieldsOf({ ...defaults, runtime: { ...defaults.runtime, env: EMPTY_ENV } })
      .filter(([field]) => !(field in required))
      .map(([field, value]) => `| \`${field}\` | \`${value}\` |`);
    expect(rows.filter((row) => !readme.includes(row))).toEqual([]);
  });

  it('names every command, and none that is not there', () => {
    const known = COMMANDS.map(({ name }) => name);
    expect(known.filter((name) => !readme.includes(`\`mesh ${name}`))).toEqual([]);
    const named = documents.flatMap(({ text }) =>
      [...text.matchAll(/`mesh ([a-z]+)/g)].map(([, name = '']) => name),
    );
    const words = new Set(known.map((name) => name.split(' ')[0]));
    expect(named.filter((name) => !words.has(name))).toEqual([]);
  });

  it('shows a project file that is accepted', () => {
    const files = blocksOf(readme).filter(({ language }) => language === 'toml');
    expect(files.map(({ text }) => parseProjectFile(text, 'mesh.toml'))).toHaveLength(1);
  });
});

describe('the checks of documents', () => {
  it.each([
    ['an unknown language', '```bash\nls\n```'],
    ['no language', '```\nls\n```'],
    ['broken JSON', '```json\n{"a":}\n```'],
    ['broken TOML', '```toml\na =\n```'],
    ['an example of no file', '```ts\nconst a = 1;\n```'],
    ['an example that differs', '```ts specs/examples/absent.ts\nconst a = 1;\n```'],
    ['a script of no file', '```js\na();\n```'],
    ['output before a command', '```console\nhello\n```'],
    ['an excuse without words', '```sh norun=""\nls\n```'],
  ])('find %s', (_, markdown) => {
    expect(faultsOf(`\n${markdown}\n`)).toHaveLength(1);
  });

  it('find a link to nowhere and to an absent heading', () => {
    const markdown = '# A b\n[x](absent.md) [y](#a-b) [z](#c) [w](specs/docs.spec.ts)\n';
    expect(brokenLinksOf('README.md', markdown)).toEqual(['line 2: absent.md', 'line 2: #c']);
  });
});

describe('absentSourcesOf', () => {
  it('finds a file that was moved or renamed', () => {
    const text = 'Read `tidy.spec.ts`, `specs/docs.spec.ts`, `x.actor.md` and `gone/tidy.spec.ts`.';
    expect(absentSourcesOf(text)).toEqual(['gone/tidy.spec.ts']);
  });
});

describe('runDocument', () => {
  const run = async (markdown: string): Promise<string[]> => {
    using folder = scratch();
    const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8' };
    return await runDocument(markdown, { cwd: folder.path, env, replace: { PORT: '4711' } });
  };

  it('keeps variables and files from block to block', async () => {
    const markdown = [
      '```json a/b.json\n{ "c": 1 }\n```',
      '```sh\nD=$(cat a/b.json)\n```',
      '```console\n$ echo "$D PORT" \\\n  here\n{ "c": 1 } 4711 here\n$ printf "x\\ny\\nz"\n…\nz\n```',
    ].join('\n');
    expect(await run(markdown)).toEqual([]);
  });

  it.each([
    ['another output', '```console\n$ echo hello\nhallo\n```', 'found:\nhello'],
    ['more output', '```console\n$ printf "a\\nb\\n"\na\n```', 'found:\na\nb'],
    ['less output', '```console\n$ echo a\na\nb\n```', 'found:\na'],
    ['a failing command', '```sh\nfalse\n```', 'exit code 1'],
    ['an unexpected success', '```sh exit=3\ntrue\n```', 'exit code 0'],
    ['a program that does not stay', '```sh background="ready"\ntrue\n```', 'ended before'],
  ])('reports %s', async (_, markdown, fault) => {
    expect(await run(markdown)).toEqual([expect.stringContaining(fault)]);
  });

  it('takes tables whose columns are wider elsewhere', async () => {
    expect(
      await run('```console\n$ printf "PID     PORT\\n12345   1\\n"\nPID  PORT\n…  1\n```'),
    ).toEqual([]);
  });

  it('stops at the first fault and obeys norun', async () => {
    const markdown =
      '```sh norun="needs a network"\nfalse\n```\n```sh\nfalse\n```\n```sh\nfalse\n```';
    expect(await run(markdown)).toHaveLength(1);
  });

  it('keeps a program in the background until the end', async () => {
    const markdown =
      '```sh background="is up"\nsh -c "echo $$ > pid; echo it is up; sleep 60"\n```\n' +
      '```console\n$ kill -0 $(cat pid) && echo alive\nalive\n```';
    expect(await run(markdown)).toEqual([]);
  });
});
