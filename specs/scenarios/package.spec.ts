/** What a user gets from the registry: built, packed, unpacked beside its dependencies, and run. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { scratch } from '../support/scratch.ts';

interface PackedManifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { types: string; default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = scratch();
const project = folder.file('project');
const installed = join(project, 'node_modules', 'mycelium-mesh');
const node = (...args: string[]) => execa(process.execPath, args, { cwd: project, reject: false });
let paths: readonly string[] = [];
let manifest: PackedManifest;

/** `npm pack` of the built folder, without asking any registry. */
async function pack(): Promise<readonly string[]> {
  const out = folder.file('dist');
  await execa(process.execPath, [join(root, '.ci', 'build.mjs'), out]);
  const args = ['pack', out, '--pack-destination', folder.path, '--json', '--offline'];
  const { stdout } = await execa('npm', args);
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  await mkdir(installed, { recursive: true });
  const tar = ['-xzf', folder.file(packed.filename), '--strip-components=1', '-C', installed];
  await execa('tar', tar);
  return packed.files.map(({ path }) => path);
}

/** Links what the packed manifest asks for, and nothing else: a forgotten dependency is missing. */
async function linkDependencies(): Promise<void> {
  for (const name of Object.keys(manifest.dependencies)) {
    const to = join(project, 'node_modules', name);
    await mkdir(dirname(to), { recursive: true });
    await symlink(join(root, 'node_modules', name), to);
  }
}

describe('the published package', () => {
  beforeAll(async () => {
    paths = await pack();
    manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as PackedManifest;
    await linkDependencies();
    return () => {
      folder[Symbol.dispose]();
    };
  });

  it('has a manifest without the tools and the pinned Node of the repository', () => {
    expect(Object.keys(manifest).toSorted()).toEqual([
      'bin',
      'dependencies',
      'description',
      'engines',
      'exports',
      'license',
      'name',
      'type',
      'version',
    ]);
  });

  it('holds what its manifest promises, with types', () => {
    const entries = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : [entry.types, entry.default],
    );
    const promised = [...entries, ...Object.values(manifest.bin)];
    expect(promised.filter((path) => !existsSync(join(installed, path)))).toEqual([]);
  });

  it('holds no TypeScript source, spec or bench', () => {
    const unwanted = /(?<!\.d)\.ts$|^specs\/|\.(spec|bench|suite)\.|node_modules/;
    expect(paths.filter((path) => unwanted.test(path))).toEqual([]);
    expect(paths).toContain('LICENSE');
    expect(paths).toContain('README.md');
  });

  it('refers to no source that was left behind', () => {
    const scripts = paths.filter((path) => path.endsWith('.js'));
    const dangling = scripts.filter((path) =>
      readFileSync(join(installed, path), 'utf8')
        .split('\n')
        // What an example in a comment imports is its reader's.
        .filter((line) => !line.startsWith(' *'))
        .some((line) => /['"`]\.{1,2}\/[^'"`]*(?<!\.d)\.ts['"`]/.test(line)),
    );
    expect(dangling).toEqual([]);
  });

  it('runs the command', async () => {
    const result = await node(join(installed, manifest.bin['mesh'] ?? ''), '--version');
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toMatch(/\b0\.\d+\.\d+\b/);
  });

  it('can be imported by its names, and runs a tree', async () => {
    const script = join(project, 'script.mjs');
    await writeFile(
      script,
      `import { startTree, startMesh } from 'mycelium-mesh';
       import * as supervisor from 'mycelium-mesh/supervisor';
       import { createMachine } from 'xstate';
       const logic = createMachine({ id: 'a' });
       const tree = await startTree({ id: 'top', type: 'supervisor', children: [{ id: 'a', logic }] });
       console.log(tree.snapshotOf('top/a').status, typeof startMesh, typeof supervisor.createTree);
       await tree.stop();\n`,
    );
    expect(await node(script)).toMatchObject({
      exitCode: 0,
      stdout: 'active function function',
      stderr: '',
    });
  });

  it('type-checks in a strict project', async () => {
    const source = join(project, 'use.mts');
    await writeFile(
      source,
      `import { startMesh } from 'mycelium-mesh';
       const mesh = await startMesh({ home: 'x' });
       const url: string = mesh.edgeUrl;
       await mesh.stop();
       export { url };\n`,
    );
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024'];
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')];
    const result = await node(tsc, ...flags, '--skipLibCheck', ...types, source);
    expect(result.stdout).toBe('');
    expect(result.exitCode).toBe(0);
  });

  it('builds, verifies and runs a spore, workers and all', async () => {
    using home = scratch();
    const options = { cwd: home.path, timeout: 60_000 };
    const mesh = (...args: string[]) =>
      execa(process.execPath, [join(installed, manifest.bin['mesh'] ?? ''), ...args], options);
    await writeFile(home.file('manifest.json'), JSON.stringify(SPORE_MANIFEST));
    await writeFile(home.file('server'), SERVICE);
    await mesh('keygen', 'k');
    await mesh('trust', 'add', 'k.pub');
    await mesh('build', '-m', 'manifest.json', 'server', '--key', 'k.key', '-o', 'a.spore');
    const { stdout } = await mesh('publish', 'a.spore');
    expect(stdout).toMatch(/^[0-9a-f]{64}$/);
    const script = join(project, 'run.mjs');
    await writeFile(script, RUN_SCRIPT);
    const result = await execa(process.execPath, [script, stdout], { ...options, reject: false });
    expect(result).toMatchObject({ exitCode: 0, stdout: 'hello', stderr: '' });
  });
});

const SERVICE = `#!${process.execPath}
require('node:http').createServer((_, response) => response.end('hello')).listen(process.env.PORT);
`;

const RUN_SCRIPT = `
import { startMesh } from 'mycelium-mesh';
const mesh = await startMesh({ home: '.mesh', nodes: 1, port: 0 });
const { generation } = await mesh.run({ app: 'hello', digest: process.argv[2] });
for await (const progress of mesh.follow('hello', generation)) void progress;
const response = await fetch(mesh.edgeUrl + '/hello/');
console.log(await response.text());
await mesh.stop();
`;

const SPORE_MANIFEST = { name: 'hello', version: '1.0.0' };
