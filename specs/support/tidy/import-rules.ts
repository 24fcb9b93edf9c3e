/** Who may import whom: the table of ARCHITECTURE.md. */
import type { House } from './house.ts';
import { isSourceIn, perFile } from './rule.ts';
import type { Rule, Violation } from './rule.ts';
import { importsOf, resolveImport } from './syntax.ts';
import type { Import } from './syntax.ts';

interface ImportRow {
  /** A file whose path matches obeys this row; the first match counts. `$1` is its domain. */
  readonly from: RegExp;
  /** Project paths; `$1` stands for the importing file's domain. */
  readonly paths: readonly string[];
  /** Project paths of which only types may be imported. */
  readonly types: readonly string[];
  /** Packages by name; a trailing slash takes all that begin so. */
  readonly packages: readonly string[];
}

const ANYTHING = 'any of the dependencies';

const IMPORT_TABLE: readonly ImportRow[] = [
  {
    from: /^machines\/(\w[\w-]*)\//,
    paths: ['machines/$1/', 'machines/kernel/'],
    types: [],
    packages: ['xstate', 'zod'],
  },
  {
    from: /^supervisor\//,
    paths: ['supervisor/', 'machines/kernel/'],
    types: [],
    packages: ['xstate'],
  },
  {
    from: /^actors\/(\w[\w-]*)\//,
    paths: ['actors/$1/', 'machines/'],
    types: ['supervisor/', 'actors/'],
    packages: ['xstate'],
  },
  {
    from: /^runtime\/workers\//,
    paths: ['runtime/workers/', 'runtime/x509/', 'runtime/spore/', 'machines/'],
    types: ['actors/'],
    packages: ['node:', ANYTHING],
  },
  {
    from: /^runtime\/web\/ui\//,
    // What a chart says, and how large its texts are, is told once, for every picture of it.
    paths: [
      'runtime/web/ui/',
      'runtime/charts/chart.ts',
      'runtime/charts/elk-graph.ts',
      'runtime/charts/mermaid.ts',
    ],
    types: ['machines/', 'runtime/charts/', 'runtime/coordinator/'],
    packages: ['preact', '@preact/signals'],
  },
  {
    from: /^runtime\//,
    paths: ['machines/', 'supervisor/', 'actors/', 'runtime/'],
    types: [],
    packages: ['node:', ANYTHING],
  },
];

/** Worker threads load no actor system: it would cost each of them its memory and start-up. */
const WORKER_MUST_NOT_LOAD = /^(xstate|@xstate\/)/;

/** Builds a plain object and infers its type; as harmless as the type itself. */
const TYPE_BUILDERS: ReadonlySet<string> = new Set(['childSpec']);

const packageOf = (specifier: string): string =>
  specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

function isPackageAllowed(row: ImportRow, specifier: string, house: House): boolean {
  const name = packageOf(specifier);
  return row.packages.some((allowed) =>
    allowed === ANYTHING
      ? house.dependencies.has(name)
      : allowed.endsWith(':')
        ? specifier.startsWith(allowed)
        : allowed === name,
  );
}

function refusal(from: string, row: ImportRow, found: Import, house: House): string | undefined {
  const target = resolveImport(from, found.specifier);
  if (target === undefined) {
    if (from.startsWith('runtime/workers/') && WORKER_MUST_NOT_LOAD.test(found.specifier))
      return `A worker must not load ${found.specifier}; move what it needs into a pure file.`;
    return isPackageAllowed(row, found.specifier, house)
      ? undefined
      : `${found.specifier} is not among what this folder may import (${row.packages.join(', ')}).`;
  }
  const domain = row.from.exec(from)?.[1] ?? '';
  const startsWithOne = (list: readonly string[]): boolean =>
    list.some((path) => target.startsWith(path.replace('$1', domain)));
  const isTyping =
    found.isTypeOnly ||
    (found.values.length > 0 && found.values.every((name) => TYPE_BUILDERS.has(name)));
  if (startsWithOne(row.paths) || (isTyping && startsWithOne(row.types))) return undefined;
  return startsWithOne(row.types)
    ? `Only types may come from ${target}; use import type, or move the value.`
    : `${target} is out of bounds for this folder; ask for it through a port or move it.`;
}

function checkTable(house: House): Violation[] {
  const found: Violation[] = [];
  for (const file of house.files) {
    const row = file.isTypeScript && IMPORT_TABLE.find(({ from }) => from.test(file.path));
    if (!row) continue;
    for (const one of importsOf(file)) {
      const message = refusal(file.path, row, one, house);
      if (message !== undefined) found.push({ path: file.path, line: one.line, message });
    }
  }
  return found;
}

const importTable: Rule = {
  name: 'every import is in the import table',
  reason: 'Decisions stay pure and testable only while nothing of the world can reach them.',
  check: checkTable,
  planted: [
    {
      files: { 'machines/gossip/a.ts': "\nimport { b } from '../workload/b.ts';\n" },
      at: 'machines/gossip/a.ts:2',
    },
    {
      files: { 'machines/gossip/a.ts': "import { readFile } from 'node:fs';\n" },
      at: 'machines/gossip/a.ts:1',
    },
    {
      files: { 'supervisor/a.ts': "import type { B } from '../actors/pool/b.ts';\n" },
      at: 'supervisor/a.ts:1',
    },
    {
      files: { 'actors/pool/a.ts': "import { createTree } from '../../supervisor/index.ts';\n" },
      at: 'actors/pool/a.ts:1',
    },
    {
      files: { 'runtime/workers/a.ts': "import { b } from '../adapters/b.ts';\n" },
      at: 'runtime/workers/a.ts:1',
    },
    {
      files: { 'runtime/a.ts': "const b = await import('../specs/support/b.ts');\n" },
      at: 'runtime/a.ts:1',
    },
    { files: { 'runtime/a.ts': "import { it } from 'vitest';\n" }, at: 'runtime/a.ts:1' },
  ],
  clean: {
    'machines/gossip/a.ts': "import { z } from 'zod';\nimport { c } from '../kernel/c.ts';\n",
    'actors/pool/a.ts': "import type { ChildSpec } from '../../supervisor/index.ts';\n",
    'actors/pool/b.ts': "import { childSpec } from '../../supervisor/index.ts';\n",
    'runtime/b.ts': 'const b = await import(url);\n',
    'runtime/workers/a.ts': "import { open } from 'node:fs';\nimport { b } from './b.ts';\n",
    'specs/a.spec.ts': "import { it } from 'vitest';\nimport { b } from '../runtime/b.ts';\n",
  },
};

/** One circle per file at most: the first found, from the file that comes first by path. */
function checkCircles(house: House): Violation[] {
  const graph = new Map(
    house.files
      .filter((file) => file.isTypeScript)
      .map(
        (file) =>
          [file.path, importsOf(file).filter((one) => !one.isTypeOnly && !one.isDynamic)] as const,
      ),
  );
  const found: Violation[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    for (const one of graph.get(path) ?? []) {
      const target = resolveImport(path, one.specifier);
      if (target === undefined || !graph.has(target)) continue;
      const at = [...trail, path].indexOf(target);
      if (at !== -1) {
        const circle = [...[...trail, path].slice(at), target].join(' → ');
        found.push({ path, line: one.line, message: `Imports go in a circle: ${circle}.` });
      } else if (!done.has(target)) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of graph.keys()) if (!done.has(path)) visit(path, []);
  return found;
}

const noCircles: Rule = {
  name: 'imports go in no circle',
  reason: 'In a circle, what a module sees of the other depends on which was loaded first.',
  check: checkCircles,
  planted: [
    {
      files: {
        'machines/a/b.ts': "import { c } from './c.ts';\n",
        'machines/a/c.ts': "import { d } from './d.ts';\n",
        'machines/a/d.ts': "\nimport { b } from './b.ts';\n",
      },
      at: 'machines/a/d.ts:2',
    },
  ],
  clean: {
    'machines/a/b.ts': "import { c } from './c.ts';\nimport { d } from './d.ts';\n",
    'machines/a/c.ts': "import { d } from './d.ts';\nimport type { b } from './b.ts';\n",
    'machines/a/d.ts': "const b = () => import('./b.ts');\n",
  },
};

const withExtension: Rule = {
  name: 'a relative import names the file with its extension',
  reason: 'Node runs the sources as they are and guesses no extension and no index file.',
  check: perFile(isSourceIn(''), (file, report) => {
    for (const { specifier, line } of importsOf(file))
      if (specifier.startsWith('.') && !/\.(ts|json|mjs)$/.test(specifier))
        report(line, `Write the whole file name instead of ${specifier}.`);
  }),
  planted: [
    { files: { 'runtime/a.ts': "\nimport { b } from './b';\n" }, at: 'runtime/a.ts:2' },
    { files: { 'runtime/a.ts': "import { b } from './b.js';\n" }, at: 'runtime/a.ts:1' },
  ],
  clean: { 'runtime/a.ts': "import { b } from './b.ts';\nimport z from 'zod';\n" },
};

export const IMPORT_RULES: readonly Rule[] = [importTable, noCircles, withExtension];
