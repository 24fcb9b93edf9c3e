import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lockHome } from '../../../runtime/control/home-lock.ts';
import { scratch } from '../../support/scratch.ts';

const MODULE = new URL('../../../runtime/control/home-lock.ts', import.meta.url).href;
/** Says `held` or the code of the refusal, then stays. */
const HOLDER = `
  const { lockHome } = await import(process.argv[1]);
  try { lockHome(process.argv[2]); console.log('held'); setInterval(() => {}, 1000); }
  catch (error) { console.log(error.code); }
`;

async function holder(home: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, MODULE, home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const ended = once(child, 'exit');
  return { child, said: said.toString().trim(), ended };
}

describe('lockHome', () => {
  it('lets one of several starters in, and names it to the others', async () => {
    using dir = scratch();
    const starters = await Promise.all(Array.from({ length: 4 }, () => holder(dir.path)));
    const said = starters.map((starter) => starter.said).sort();
    expect(said).toEqual([
      ...Array.from({ length: 3 }, () => 'MESH_ERR_CONTROL_ALREADY_RUNNING'),
      'held',
    ]);
    const held = starters.find((starter) => starter.said === 'held');
    expect(() => lockHome(dir.path)).toThrow(`as process ${String(held?.child.pid)}`);
    for (const { child } of starters) child.kill('SIGKILL');
    await Promise.all(starters.map((starter) => starter.ended));
  });

  it('is free again as soon as its holder was killed', async () => {
    using dir = scratch();
    const { child, said, ended } = await holder(dir.path);
    expect(said).toBe('held');
    child.kill('SIGKILL');
    await ended;
    lockHome(dir.path).release();
  });

  it('holds against the same process, and stays held after such a refusal', async () => {
    using dir = scratch();
    const lock = lockHome(dir.path);
    expect(() => lockHome(dir.path)).toThrow('A mesh already runs in');
    expect((await holder(dir.path)).said).toBe('MESH_ERR_CONTROL_ALREADY_RUNNING');
    lock.release();
    lock.release();
    lockHome(dir.path).release();
  });

  it('makes a lock file of its owner alone', () => {
    using dir = scratch();
    const lock = lockHome(dir.file('home'));
    expect(statSync(dir.file('home/mesh.lock')).mode & 0o777).toBe(0o600);
    lock.release();
  });
});
