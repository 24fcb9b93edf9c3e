import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createProcesses } from '../../../runtime/adapters/processes.execa.ts';
import { scratch } from '../../support/scratch.ts';

/** Linux takes 128 KiB for one argument (MAX_ARG_STRLEN of execve(2)). */
const TOO_LONG = 'x'.repeat(200 * 1024);

describe('createProcesses', () => {
  it.each([
    ['a NUL in an argument', { args: ['a\0b'] }, 'MESH_ERR_PROCESS_ARGUMENTS_REFUSED'],
    ['an argument over 128 KiB', { args: [TOO_LONG] }, 'MESH_ERR_PROCESS_ARGUMENTS_REFUSED'],
    ['a folder that is not there', { cwd: '/no/such/folder' }, 'MESH_ERR_PROCESS_SPAWN_FAILED'],
    ['a log that cannot be opened', { logPath: '/no/such/log' }, 'MESH_ERR_PROCESS_SPAWN_FAILED'],
  ])('refuses %s', async (_, over, code) => {
    using dir = scratch();
    const spec = {
      instance: 'hello-1',
      command: '/bin/true',
      args: [],
      env: {},
      cwd: dir.path,
      token: '00'.repeat(16),
      logPath: dir.file('log'),
      onRuntimeDeath: 'keep' as const,
      ...over,
    };
    const spawned = createProcesses({ clock: systemClock }).spawn(spec);
    await expect(spawned).rejects.toMatchObject({ code });
  });
});
