import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ProcessExit } from '../../machines/workload/instance-record.ts';
import { listPids, readStat } from '../../runtime/spawn/proc.ts';
import { createRealWorld, until } from '../support/processes-worlds.ts';

const ROUNDS = 10;
const AT_ONCE = 10;

describe('Processes by execa', () => {
  it('leave nothing behind after 100 spawns and kills', async () => {
    await using world = await createRealWorld();
    const { processes, homeId } = world;
    const cycle = async (): Promise<ProcessExit[]> => {
      const args = ['-c', 'sleep 1000 & sleep 1000'];
      const identity = await processes.spawn(world.spec('', { command: '/bin/sh', args }));
      const exits: ProcessExit[] = [];
      processes.watchExit(identity, (exit) => exits.push(exit));
      expect(await processes.signal(identity, 'SIGKILL')).toBe(true);
      await until('an exit', () => exits.length > 0);
      await processes.reap(identity);
      return exits;
    };
    // The first one opens what stays open.
    await cycle();
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < ROUNDS; round++) {
      const all = await Promise.all(Array.from({ length: AT_ONCE }, cycle));
      expect(all.flat()).toEqual(all.map(() => ({ exitCode: null, signal: 'SIGKILL' })));
    }
    expect(await processes.strays(homeId, new Set())).toEqual([]);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
    expect(ownZombies()).toEqual([]);
  });
});

function ownZombies(): number[] {
  return listPids().filter((pid) => {
    if (readStat(pid)?.state !== 'Z') return false;
    return readFileSync(`/proc/${pid}/status`, 'latin1').includes(`PPid:\t${process.pid}\n`);
  });
}
