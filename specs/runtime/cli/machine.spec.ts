import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MACHINES } from '../../../runtime/charts/catalog.ts';
import { mesh } from '../../support/mesh/command.ts';
import { scratch } from '../../support/scratch.ts';

const XSTATE = import.meta.resolve('xstate');
const MODULE = `import { createMachine } from '${XSTATE}';
export const doorMachine = createMachine({ id: 'door', on: { slam: { actions: [] } } });
export const other = 1;
`;

describe('mesh machine ls', () => {
  it('lists every machine with its size', async () => {
    using dir = scratch();
    const { exitCode, stdout } = await mesh(['machine', 'ls', '--json'], { cwd: dir.path });
    const rows = JSON.parse(stdout) as { name: string; states: number; transitions: number }[];
    expect(exitCode).toBe(0);
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(MACHINES));
    expect(rows.find(({ name }) => name === 'planner')).toMatchObject({ states: 3 });
  });
});

describe('mesh machine graph', () => {
  it('prints Mermaid, or JSON where data is asked for', async () => {
    using dir = scratch();
    const mermaid = await mesh(['machine', 'graph', 'planner'], { cwd: dir.path });
    expect(mermaid.stdout).toContain('stateDiagram-v2');
    const json = await mesh(['machine', 'graph', 'planner', '--json'], { cwd: dir.path });
    expect(JSON.parse(json.stdout)).toMatchObject({ name: 'planner', root: { key: 'planner' } });
  });

  it('writes a file in the format that its ending names', async () => {
    using dir = scratch();
    const args = ['machine', 'graph', 'planner', '-o', 'planner.svg', '--json'];
    const { exitCode, stdout } = await mesh(args, { cwd: dir.path });
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      0,
      { machine: 'planner', format: 'svg', path: 'planner.svg' },
    ]);
    expect(readFileSync(dir.file('planner.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
  });

  it('draws a machine of somebody else, by the path of its module', async () => {
    using dir = scratch();
    writeFileSync(dir.file('door.mjs'), MODULE);
    for (const name of ['./door.mjs', 'door.mjs#doorMachine']) {
      const { exitCode, stdout } = await mesh(['machine', 'graph', name], { cwd: dir.path });
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining('title: door')]);
    }
  });

  it.each([
    [['nope'], 3, 'MESH_ERR_CHART_UNKNOWN'],
    [['./nope.mjs'], 1, 'MESH_ERR_CHART_MODULE'],
    [['./door.mjs#other'], 1, 'MESH_ERR_CHART_MODULE'],
    [['planner', '-o', 'no/such/folder.svg'], 1, 'MESH_ERR_CLI_OUTPUT'],
    [['planner', '--format', 'png'], 2, 'MESH_ERR_CLI_USAGE'],
  ])('refuses %j with exit code %i', async (args, exitCode, code) => {
    using dir = scratch();
    writeFileSync(dir.file('door.mjs'), MODULE);
    const run = await mesh(['machine', 'graph', ...args, '--json'], { cwd: dir.path });
    expect(run.exitCode).toBe(exitCode);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code } });
  });

  it('asks for a name where a module exports several machines', async () => {
    using dir = scratch();
    writeFileSync(dir.file('two.mjs'), `${MODULE}export const again = doorMachine;\n`);
    const run = await mesh(['machine', 'graph', './two.mjs'], { cwd: dir.path });
    expect([run.exitCode, run.stderr]).toEqual([1, expect.stringContaining('again, doorMachine')]);
  });
});
