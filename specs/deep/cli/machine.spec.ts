import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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

const DOOR = `import { createMachine } from '${XSTATE}';
export const doorMachine = createMachine({
  id: 'door',
  initial: 'closed',
  states: {
    closed: { on: { open: { guard: ({ event }) => event.key.fits, target: 'open' }, lock: 'locked' } },
    open: {},
    locked: {},
  },
});
export const doorModel = { samples: [{ type: 'open', key: { fits: true } }] };
`;

describe('mesh machine test', () => {
  it('says what was taken and what was not, and writes it down where the charts look', async () => {
    using dir = scratch();
    writeFileSync(dir.file('door.mjs'), DOOR);
    const args = ['machine', 'test', './door.mjs#doorMachine', '--model', './door.mjs#doorModel'];
    const { exitCode, stdout } = await mesh([...args, '--coverage', '--home', 'here'], {
      cwd: dir.path,
    });
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringContaining(
        'door: 2 states, 1 steps, 1 of 2 transitions taken\n  not taken  closed: lock',
      ),
    ]);
    expect(JSON.parse(readFileSync(dir.file('here/coverage/door.json'), 'utf8'))).toMatchObject({
      machine: 'door',
      transitions: [
        { event: 'open', count: 1 },
        { event: 'lock', count: 0 },
      ],
    });
    const json = await mesh([...args, '--coverage', 'my.json', '--json'], { cwd: dir.path });
    expect(JSON.parse(json.stdout)).toMatchObject({ covered: 1, total: 2, file: 'my.json' });
    expect(existsSync(dir.file('my.json'))).toBe(true);
  });

  it('shows the way to what throws', async () => {
    using dir = scratch();
    writeFileSync(dir.file('door.mjs'), DOOR);
    const args = ['machine', 'test', './door.mjs'];
    const { exitCode, stderr } = await mesh(args, { cwd: dir.path });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('door, closed: open threw:');
    expect(stderr).toContain('s0 --> s0 : 1 open ✗');
    const json = await mesh([...args, '--json'], { cwd: dir.path });
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: { code: 'MESH_ERR_CHART_TEST_FAILED', details: { failures: [{ state: 'closed' }] } },
    });
  });

  it.each([
    [['planner', '--model', 'no.mjs'], 'MESH_ERR_CHART_MODULE'],
    [['planner', '--model', './door.mjs#nothing'], 'MESH_ERR_CHART_MODULE'],
    [['instance'], 'MESH_ERR_CHART_MODEL'],
  ])('refuses %j', async (args, code) => {
    using dir = scratch();
    writeFileSync(dir.file('door.mjs'), DOOR);
    const run = await mesh(['machine', 'test', ...args, '--json'], { cwd: dir.path });
    expect([run.exitCode, JSON.parse(run.stdout)]).toMatchObject([1, { error: { code } }]);
  });
});
