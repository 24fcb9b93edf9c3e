/** A mesh as a process: written down, looked at later, and touched, all from the command line. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { readRecording } from '../../runtime/web/recording/read-recording.ts';
import { mesh, startMeshCommand } from '../support/mesh/command.ts';
import { scratch } from '../support/scratch.ts';

const DEADLINE_MS = 60_000;

/** `mesh up` in a scratch folder, until it answers. */
async function up(...args: string[]) {
  const dir = scratch();
  const options = { cwd: dir.path };
  const child = startMeshCommand(['up', '--port', '0', '--nodes', '1', ...args], options);
  child.stdout?.resume();
  child.stderr?.resume();
  await expect
    .poll(() => existsSync(dir.file('.mesh/mesh.sock')), { timeout: DEADLINE_MS })
    .toBe(true);
  return {
    dir,
    child,
    start: (...words: string[]) => startMeshCommand(words, options),
    mesh: (...words: string[]) => mesh(words, options),
    [Symbol.asyncDispose]: async () => {
      await ended(child, 'SIGTERM');
      dir[Symbol.dispose]();
    },
  };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
  return child.exitCode;
}

const firstLine = async (child: ChildProcess): Promise<string> => {
  if (child.stdout === null) throw new Error('Its output is not read.');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return line;
};

describe('mesh inspect record, mesh inspect open and mesh send', () => {
  it(
    'write down what happens, for nobody else to read, and show it later',
    async () => {
      await using at = await up('--allow-send');
      const recording = at.start('inspect', 'record', '-o', 'seen.jsonl');
      recording.stderr?.resume();
      const text = () =>
        existsSync(at.dir.file('seen.jsonl'))
          ? readFileSync(at.dir.file('seen.jsonl'), 'utf8')
          : '';
      await expect
        .poll(() => text().includes('"type":"rows"'), { timeout: DEADLINE_MS })
        .toBe(true);
      writeFileSync(at.dir.file('event.json'), '{"type":"sweep.failed","message":"as told"}');
      const sent = await at.mesh('send', 'mesh/planner', 'event.json', '--json');
      expect(JSON.parse(sent.stdout)).toEqual({ path: 'mesh/planner', event: 'sweep.failed' });
      await expect
        .poll(() => text().includes('"text":"sweep.failed"'), { timeout: DEADLINE_MS })
        .toBe(true);
      expect(await ended(recording, 'SIGINT')).toBe(0);
      expect(statSync(at.dir.file('seen.jsonl')).mode & 0o777).toBe(0o600);
      expect(readRecording(text()).info).toMatchObject({ title: 'mesh', end: 'asked' });

      const again = await at.mesh('inspect', 'record', '--for', '1s', '-o', 'seen.jsonl', '--json');
      expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: 'MESH_ERR_CLI_OUTPUT' } });
      const nobody = await at.mesh('send', 'mesh/nobody', '{"type":"x"}', '--json');
      expect(JSON.parse(nobody.stdout)).toMatchObject({
        error: { code: 'MESH_ERR_INSPECT_UNKNOWN' },
      });

      const opened = at.start('inspect', 'open', 'seen.jsonl');
      opened.stderr?.resume();
      const url = await firstLine(opened);
      const entered = await fetch(url, { redirect: 'manual' });
      const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
      const tree = await fetch(new URL('/api/tree', url), { headers: { cookie } });
      expect(((await tree.json()) as { path: string }[]).map(({ path }) => path)).toContain(
        'mesh/planner',
      );
      expect(await ended(opened, 'SIGINT')).toBe(130);
    },
    DEADLINE_MS,
  );

  it(
    'keep what was written of a mesh that is killed',
    async () => {
      await using at = await up();
      const recording = at.start('inspect', 'record', '-o', 'last.jsonl');
      recording.stderr?.resume();
      const text = () =>
        existsSync(at.dir.file('last.jsonl'))
          ? readFileSync(at.dir.file('last.jsonl'), 'utf8')
          : '';
      await expect
        .poll(() => text().includes('"type":"rows"'), { timeout: DEADLINE_MS })
        .toBe(true);
      const exit = once(recording, 'exit');
      await ended(at.child, 'SIGKILL');
      expect(await exit).toEqual([5, null]);
      expect(readRecording(text()).info.end).toBe('torn');
    },
    DEADLINE_MS,
  );
});
