/** What package.json and its lockfile promise. `scenarios/package.spec.ts` installs what is published. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadHouse } from './support/tidy/house.ts';
import { importsOf } from './support/tidy/syntax.ts';

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
}

interface Manifest {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): unknown => JSON.parse(readFileSync(`${root}${path}`, 'utf8'));
const manifest = read('package.json') as Manifest;
const locked = (read('package-lock.json') as { packages: Record<string, LockedPackage> }).packages;
const house = await loadHouse(root);

/** Used by configuration or by the command line, so that no source imports them. */
const TOOLS = ['oxfmt', 'oxlint', 'oxlint-tsgolint', 'typescript', '@bufbuild/protoc-gen-es'];

/** Packages that the sources import, without Node's own. */
const imported = new Set(
  house.files
    .filter((file) => file.isTypeScript)
    .flatMap((file) => importsOf(file))
    .map(({ specifier }) => specifier)
    .filter((specifier) => /^[@a-z]/.test(specifier) && !specifier.startsWith('node:'))
    .map((specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')),
);

describe('package.json', () => {
  it('pins every package exactly', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    const loose = Object.entries(all).filter(([, range]) => !/^\d+\.\d+\.\d+$/.test(range));
    expect(loose).toEqual([]);
  });

  it('declares every package that a source imports', () => {
    const declared = { ...manifest.dependencies, ...manifest.devDependencies };
    const foreign = [...imported].filter((name) => name !== manifest.name);
    expect(foreign.filter((name) => !(name in declared))).toEqual([]);
  });

  it('exports files that exist, and a command that does', () => {
    const named = [...Object.values(manifest.exports), ...Object.values(manifest.bin)];
    const missing = named.filter((path) => !existsSync(root + path));
    expect(missing).toEqual([]);
  });

  it('makes a fresh clone ready before each of its commands', () => {
    for (const command of ['start', 'test', 'mesh', 'check', 'bench'])
      expect(manifest.scripts[`pre${command}`], command).toContain('node .ci/setup.mjs');
  });
});

describe('package-lock.json', () => {
  it('pins the Node that every npm script runs, without an install script', () => {
    for (const [name, version] of Object.entries(manifest.optionalDependencies)) {
      expect(locked[`node_modules/${name}`]).toMatchObject({ version });
      expect(locked[`node_modules/${name}`]?.hasInstallScript).toBeUndefined();
      expect(locked[`node_modules/${name}`]?.integrity).toMatch(/^sha512-/);
    }
  });

  it('agrees with package.json', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const [name, version] of Object.entries(all))
      expect(locked[`node_modules/${name}`]?.version, name).toBe(version);
  });

  it('holds a hash of every package', () => {
    const bare = Object.entries(locked).filter(
      ([path, { integrity }]) => path !== '' && integrity === undefined,
    );
    expect(bare).toEqual([]);
  });
});

/** Whether some source imports it, or names it to a loader (a native addon, a log transport). */
const isUsed = (name: string): boolean =>
  imported.has(name) ||
  house.files.some(({ text }) =>
    [`('${name}')`, `('${name}/`, `: '${name}'`].some((mention) => text.includes(mention)),
  );

describe('dependencies', () => {
  it('are used', () => {
    const unused = Object.keys(manifest.dependencies).filter((name) => !isUsed(name));
    expect(unused).toEqual([]);
  });

  it('of development are used', () => {
    const unused = Object.keys(manifest.devDependencies).filter(
      (name) => !isUsed(name) && !TOOLS.includes(name) && !name.startsWith('@types/'),
    );
    expect(unused).toEqual([]);
  });
});
