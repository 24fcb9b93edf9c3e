import { chmodSync, closeSync, copyFileSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessSpec } from '../../../actors/workload/ports/process.ts';
import type { ProcessIdentity } from '../../../machines/workload/instance-record.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createProcesses } from '../../../runtime/adapters/processes.execa.ts';
import { inheritedFds } from '../../../runtime/spawn/inherited-fds.ts';
import { isRunning, orGone, readEnvironment, readStat } from '../../../runtime/spawn/proc.ts';
import { programOnPath } from '../../benches/harness.ts';
import { createRealWorld, until } from '../../support/processes-worlds.ts';

type World = Awaited<ReturnType<typeof createRealWorld>>;

const hasSetpriv = programOnPath('setpriv') !== undefined;
const isRoot = process.getuid?.() === 0;
const MODES = hasSetpriv ? (['keep', 'kill'] as const) : (['keep'] as const);

const ARGUMENTS_REFUSED = 'MESH_ERR_PROCESS_ARGUMENTS_REFUSED';
const SPAWN_FAILED = 'MESH_ERR_PROCESS_SPAWN_FAILED';

describe('Processes by execa', () => {
  let world: World;
  beforeEach(async () => {
    world = await createRealWorld();
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const program = (command: string, ...args: string[]): ProcessSpec =>
    world.spec('', { command, args });
  const shell = (script: string): ProcessSpec => program('/bin/sh', '-c', script);
  const logOf = (spec: ProcessSpec): string => readFileSync(spec.logPath, 'utf8');
  const exitOf = async (identity: ProcessIdentity) => {
    const exits: unknown[] = [];
    world.processes.watchExit(identity, (exit) => exits.push(exit));
    await until('an exit', () => exits.length > 0);
    return exits[0];
  };

  describe.each(MODES)('onRuntimeDeath %j', (onRuntimeDeath) => {
    it('gives the process the declared environment and its token, and nothing else', async () => {
      process.env['MESH_SPEC_SECRET'] = 'of the runtime';
      const spec: ProcessSpec = { ...program('sleep', '1000'), onRuntimeDeath, env: { A: 'ä=b' } };
      const identity = await world.processes.spawn(spec);
      delete process.env['MESH_SPEC_SECRET'];
      const environment = Object.fromEntries(readEnvironment(identity.pid) ?? []);
      expect(environment).toEqual({ A: 'ä=b', MESH_TOKEN: spec.token });
      await world.processes.signal(identity, 'SIGKILL');
    });

    it('gives it its three streams and a session of its own', async () => {
      const spec: ProcessSpec = { ...program('sleep', '1000'), onRuntimeDeath };
      const { pid } = await world.processes.spawn(spec);
      const targets = (): string[] =>
        readdirSync(`/proc/${pid}/fd`)
          // What its loader opens may be closed again between the two looks.
          .map((fd) => orGone(() => readlinkSync(`/proc/${pid}/fd/${fd}`)))
          .filter((to) => to !== null);
      await until(
        'an end of its loading',
        () => !targets().some((to) => /^\/(?:etc|lib|usr)/.test(to)),
      );
      // Those that this process itself was given by whoever started it.
      const masked = inheritedFds().map(() => '/dev/null');
      expect(targets()).toEqual(['/dev/null', spec.logPath, spec.logPath, ...masked]);
      expect(readStat(pid)).toMatchObject({ pid, group: pid, session: pid });
    });

    it('resolves when the program itself runs', async () => {
      const spec: ProcessSpec = { ...program('sleep', '1000'), onRuntimeDeath };
      const { pid } = await world.processes.spawn(spec);
      expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).toMatch(/sleep\0{1}1000\0$/);
      expect(readlinkSync(`/proc/${pid}/cwd`)).toBe(world.folder);
    });

    it('says when the loader of a program is missing', async () => {
      const file = join(world.folder, 'unloadable');
      const bytes = readFileSync('/bin/true').toString('latin1');
      writeFileSync(file, bytes.replace(/\/ld-[lm]/, '/ld-!'), 'latin1');
      chmodSync(file, 0o755);
      const code = 'MESH_ERR_PROCESS_NOT_EXECUTABLE';
      const spawned = world.processes.spawn({ ...program(file), onRuntimeDeath });
      await expect(spawned).rejects.toMatchObject({ code, details: { errno: 'ENOENT' } });
    });

    it('waits for a program file that is still written', async () => {
      const file = join(world.folder, 'busy');
      copyFileSync('/bin/true', file);
      chmodSync(file, 0o755);
      const writer = openSync(file, 'r+');
      const spawned = world.processes.spawn({ ...program(file), onRuntimeDeath });
      setTimeout(() => closeSync(writer), 30);
      expect(await exitOf(await spawned)).toEqual({ exitCode: 0, signal: null });
    });
  });

  it('writes both streams to the end of the log, which only its owner reads', async () => {
    const spec = shell('echo out; echo err >&2');
    await exitOf(await world.processes.spawn(spec));
    await exitOf(await world.processes.spawn(spec));
    expect(logOf(spec)).toBe('out\nerr\nout\nerr\n');
    expect(statSync(spec.logPath).mode & 0o777).toBe(0o600);
  });

  it('runs an executable script by its own interpreter', async () => {
    const file = join(world.folder, 'script');
    writeFileSync(file, `#!${process.execPath}\nconsole.log(process.argv.length);\n`);
    chmodSync(file, 0o755);
    const spec = program(file, 'one', 'two');
    await exitOf(await world.processes.spawn(spec));
    expect(logOf(spec)).toBe('4\n');
  });

  it.each([
    ['arguments beyond the limit', { args: ['x'.repeat(3_000_000)] }, ARGUMENTS_REFUSED],
    ['one argument beyond its own limit', { args: ['x'.repeat(200_000)] }, ARGUMENTS_REFUSED],
    ['a NUL in an argument', { args: ['a\0b'] }, ARGUMENTS_REFUSED],
    ['a NUL in the environment', { env: { A: 'a\0b' } }, ARGUMENTS_REFUSED],
    ['a working folder that is not there', { cwd: '/missing' }, SPAWN_FAILED],
    ['a log that cannot be written', { logPath: '/missing/a.log' }, SPAWN_FAILED],
  ])('refuses %s', async (_, changes, code) => {
    const spawned = world.processes.spawn({ ...program('/bin/true'), ...changes });
    await expect(spawned).rejects.toMatchObject({ code });
  });

  it('refuses to end an instance with the runtime where setpriv is missing', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = world.folder;
    const spawned = world.processes.spawn({ ...program('/bin/true'), onRuntimeDeath: 'kill' });
    const code = 'MESH_ERR_PROCESS_SETPRIV_MISSING';
    await expect(spawned).rejects.toMatchObject({ code });
    process.env['PATH'] = path;
  });

  it('reports what it may not signal', async () => {
    // As nobody, this process itself cannot be signalled; it must first be readable at all.
    const { processes } = world;
    const spec = program('sleep', '1000');
    if (!isRoot || !hasSetpriv) return;
    const identity = await processes.spawn(spec);
    const moduleUrl = new URL('../../../runtime/spawn/process-group.ts', import.meta.url).href;
    const script = `
      const { signalGroup } = await import(${JSON.stringify(moduleUrl)});
      process.setuid(65534);
      try { signalGroup(${JSON.stringify(identity)}, 'SIGKILL'); console.log('signalled'); }
      catch (error) { console.log(error.code); }`;
    const asNobody = program(process.execPath, '--input-type=module', '-e', script);
    await exitOf(await processes.spawn(asNobody));
    expect(logOf(asNobody).trim()).toBe('MESH_ERR_PROCESS_SIGNAL_FAILED');
    expect(await processes.isAlive(identity)).toBe(true);
  });

  it('says when members of a group outlast the deadline', async () => {
    const hasty = createProcesses({ clock: systemClock, reapTimeoutMs: 0 });
    const identity = await world.processes.spawn(shell('sleep 1000 & exit 0'));
    await exitOf(identity);
    const code = 'MESH_ERR_PROCESS_GROUP_REMAINS';
    await expect(hasty.reap(identity)).rejects.toMatchObject({ code, retryable: true });
    await world.processes.reap(identity);
  });

  it('reaps members that dropped the token, if it saw their leader end', async () => {
    const spec = shell('env -i sleep 1000 & echo $!; sleep 0.1');
    const identity = await world.processes.spawn(spec);
    await exitOf(identity);
    const member = Number(logOf(spec));
    const stranger: ProcessIdentity = { ...identity, token: 'another', startTicks: 1 };
    await createProcesses({ clock: systemClock }).reap(stranger);
    expect(isRunningPid(member)).toBe(true);
    await world.processes.reap(identity);
    expect(isRunningPid(member)).toBe(false);
  });
});

function isRunningPid(pid: number): boolean {
  const stat = readStat(pid);
  return stat !== null && isRunning(stat);
}
