/** The project as the tidy rules see it: paths and text, from the disk or planted by a self-test. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { parseAst } from 'vitest/node';
import type { SyntaxNode } from './syntax.ts';

/** One text file; `path` is relative to the project, with forward slashes. */
export class SourceFile {
  readonly path: string;
  readonly text: string;
  #program: SyntaxNode | undefined;
  #lineStarts: readonly number[] | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  get isTypeScript(): boolean {
    return this.path.endsWith('.ts');
  }

  get lines(): readonly string[] {
    return this.text.split('\n');
  }

  /** Lines of text; the one that ends the file's last line does not count. */
  get lineCount(): number {
    return this.text.endsWith('\n') ? this.lines.length - 1 : this.lines.length;
  }

  /** Parsed once; throws the parser's own error, with the path in front, for a broken file. */
  get program(): SyntaxNode {
    this.#program ??= this.#parse();
    return this.#program;
  }

  /** 1-based line of an offset into the text. */
  lineAt(offset: number): number {
    this.#lineStarts ??= startsOfLines(this.text);
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  #parse(): SyntaxNode {
    try {
      return parseAst(this.text, { lang: 'ts', astType: 'ts' }, this.path) as unknown as SyntaxNode;
    } catch (cause) {
      throw new Error(`${this.path} cannot be parsed.`, { cause });
    }
  }
}

export interface House {
  /** Every text file of the project, in the order of paths. */
  readonly files: readonly SourceFile[];
  /** Names at the root; folders end in a slash. */
  readonly roots: readonly string[];
  /** Packages that an installation without development tools has. */
  readonly dependencies: ReadonlySet<string>;
}

const TEXT = /\.(ts|mjs|js|json|md|toml|py|sh|html|css|yml|yaml)$/;
const startsOfLines = (text: string): number[] => {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
};

/**
 * Reads the project at `root`. What `.gitignore` names is left out, and of the root's own entries those
 * that git does not know: whoever tries the README in a clone makes some.
 */
export async function loadHouse(root: string): Promise<House> {
  const ignored = await ignoredNames(root);
  const tracked = await trackedNames(root);
  const top = (await readdir(root, { withFileTypes: true })).filter(
    ({ name }) => name !== '.git' && !ignored.has(name) && (tracked?.has(name) ?? true),
  );
  const files: SourceFile[] = [];
  for (const entry of top.sort((a, b) => a.name.localeCompare(b.name)))
    if (entry.isDirectory()) await collect(root, entry.name, ignored, files);
    else if (TEXT.test(entry.name) && entry.name !== 'package-lock.json')
      files.push(new SourceFile(entry.name, await readFile(join(root, entry.name), 'utf8')));
  return {
    files,
    roots: top.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)),
    dependencies: await dependenciesOf(root),
  };
}

/** A house of planted files, for the rules' self-tests. */
export function houseOf(planted: Readonly<Record<string, string>>): House {
  const paths = Object.keys(planted);
  const roots = new Set(paths.map((path) => path.replace(/\/.*$/, '/')));
  return {
    files: paths.map((path) => new SourceFile(path, planted[path] ?? '')),
    roots: [...roots],
    dependencies: new Set(['xstate', 'zod']),
  };
}

async function ignoredNames(root: string): Promise<Set<string>> {
  const text = await readFile(join(root, '.gitignore'), 'utf8');
  return new Set(text.split('\n').map((line) => line.trim().replaceAll('/', '')));
}

/** The root's entries that git knows; `undefined` without a repository, as in an unpacked archive. */
async function trackedNames(root: string): Promise<Set<string> | undefined> {
  const { exitCode, stdout } = await execa('git', ['ls-files'], { cwd: root, reject: false });
  if (exitCode !== 0) return undefined;
  return new Set(stdout.split('\n').map((path) => path.replace(/\/.*$/, '')));
}

async function dependenciesOf(root: string): Promise<ReadonlySet<string>> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  return new Set(Object.keys(manifest.dependencies ?? {}));
}

async function collect(
  root: string,
  folder: string,
  ignored: ReadonlySet<string>,
  into: SourceFile[],
): Promise<void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name))) {
    const path = `${folder}/${entry.name}`;
    if (ignored.has(entry.name)) continue;
    if (entry.isDirectory()) await collect(root, path, ignored, into);
    else if (TEXT.test(entry.name))
      into.push(new SourceFile(path, await readFile(join(root, path), 'utf8')));
  }
}
