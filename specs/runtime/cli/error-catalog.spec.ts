/** Every error code is in one table, is thrown by some source and looked for by some spec. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ERROR_CATALOG, ERROR_TABLES } from '../../../runtime/cli/error-catalog.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SOURCE_FOLDERS = ['machines', 'supervisor', 'actors', 'runtime'];
/** Codes end in a letter: `MESH_ERR_KEY_` and `MESH_ERR_KEY_*` name several. */
const CODE = /MESH_ERR_[A-Z0-9_]*[A-Z0-9](?![A-Z0-9_*])/g;

function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => join(folder, name));
}

const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const sources = SOURCE_FOLDERS.flatMap((folder) => filesBelow(folder, /\.ts$/));
const specs = filesBelow('specs', /\.ts$/);
const documents = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...[...SOURCE_FOLDERS, 'specs'].flatMap((folder) => filesBelow(folder, /\.md$/)),
];
const codes = [...ERROR_CATALOG.keys()];

/** Sources without their comments and without the rows of the tables, which throw nothing. */
const thrown = new Set(
  sources.flatMap((file) => {
    const code = textOf(file)
      .replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
      .replace(/^\s*MESH_ERR_[A-Z0-9_]+: \{/gm, '');
    return code.match(CODE) ?? [];
  }),
);

/** Codes that a file names and no table has. */
const unknownIn = (files: readonly string[]): string[] =>
  files.flatMap((file) =>
    (textOf(file).match(CODE) ?? [])
      .filter((code) => !ERROR_CATALOG.has(code))
      .map((code) => `${file}: ${code}`),
  );

describe('ERROR_CATALOG', () => {
  it('has each code once, under the area of its table', () => {
    const all = Object.values(ERROR_TABLES).flatMap((table) => Object.keys(table));
    expect(all.filter((code, index) => all.indexOf(code) !== index)).toEqual([]);
    expect(codes.filter((code) => !/^MESH_ERR(_[A-Z0-9]+){2,}$/.test(code))).toEqual([]);
  });

  it('has every code that a source names', () => {
    expect(unknownIn(sources)).toEqual([]);
  });

  it('has every code that a document names', () => {
    expect(unknownIn(documents)).toEqual([]);
  });

  it('has no code that nothing throws', () => {
    expect(codes.filter((code) => !thrown.has(code))).toEqual([]);
  });

  it('has no code that no spec looks for', () => {
    const here = fileURLToPath(import.meta.url);
    const text = specs
      .filter((file) => join(ROOT, file) !== here)
      .map(textOf)
      .join('\n');
    const looked = new Set(text.match(CODE) ?? []);
    expect(codes.filter((code) => !looked.has(code))).toEqual([]);
  });

  it.each(codes)('says of %s what to do, and at length what it means', (code) => {
    const { hint, explain } = ERROR_CATALOG.get(code) ?? { hint: '', explain: '' };
    expect(hint).toMatch(/^[A-Z`][^\n]{8,200}[.?!`)]$/);
    expect(explain.length).toBeGreaterThan(40);
  });
});
