import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  isRunning,
  listPids,
  orGone,
  parseStat,
  readEnvironment,
  readStat,
  requireProc,
  uptimeTicks,
} from '../../../runtime/spawn/proc.ts';
import { programOnPath } from '../../benches/harness.ts';
import { until } from '../../support/processes-worlds.ts';

const GONE = 4_194_305;
const isX64 = process.arch === 'x64';
const python = programOnPath('python3');

/** A process of this spec, killed with all that it started. */
function running(command: string, args: string[]): ChildProcess & Disposable {
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const end = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'));
  return Object.assign(child, { [Symbol.dispose]: end });
}

describe('parseStat', () => {
  it('reads the fields after a name that holds spaces and parentheses', () => {
    const numbers = Array.from({ length: 49 }, (_, index) => index + 4).join(' ');
    expect(parseStat(`42 (a) R (b c) S ${numbers}\n`)).toEqual({
      pid: 42,
      state: 'S',
      group: 5,
      session: 6,
      threads: 20,
      startTicks: 22,
    });
  });

  it('gives null for what is no such line', () => {
    expect(parseStat('')).toBe(null);
  });
});

describe('readStat', () => {
  it('reads this process, which started before now', () => {
    const stat = readStat(process.pid);
    expect(stat).toMatchObject({ pid: process.pid });
    expect(stat?.startTicks).toBeLessThanOrEqual(uptimeTicks());
    expect(listPids()).toContain(process.pid);
  });

  it('gives null for a process that is gone', () => {
    expect(readStat(GONE)).toBe(null);
    expect(readEnvironment(GONE)).toBe(null);
  });
});

describe('isRunning', () => {
  it('is false for a zombie', async () => {
    // The shell becomes a program that never waits for its child.
    using parent = running('/bin/sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 1000']);
    const [line] = (await parent.stdout?.iterator().next())?.value.toString().split('\n') ?? [];
    const pid = Number(line);
    await until('a zombie', () => readStat(pid)?.state === 'Z');
    const stat = readStat(pid);
    expect(stat !== null && isRunning(stat)).toBe(false);
  });

  it.skipIf(!isX64 || python === undefined)(
    'is true for a process whose first thread ended',
    async () => {
      const script = [
        'import ctypes, threading, time',
        'threading.Thread(target=lambda: time.sleep(1000)).start()',
        'ctypes.CDLL(None).syscall(60, 0)',
      ];
      using child = running(python ?? '', ['-c', script.join('\n')]);
      const pid = child.pid ?? 0;
      await until('an ended first thread', () => readStat(pid)?.state === 'Z');
      const stat = readStat(pid);
      expect(stat !== null && isRunning(stat)).toBe(true);
    },
  );
});

describe('orGone', () => {
  it('passes on what is not about the process', () => {
    const error = Object.assign(new Error('too many'), { code: 'EMFILE' });
    const read = (): never => {
      throw error;
    };
    expect(() => orGone(read)).toThrow(error);
  });
});

describe('requireProc', () => {
  it('accepts Linux and refuses other platforms', () => {
    expect(() => requireProc('linux')).not.toThrow();
    const code = 'MESH_ERR_PROCESS_PLATFORM_UNSUPPORTED';
    expect(() => requireProc('darwin')).toThrow(expect.objectContaining({ code }));
  });
});
