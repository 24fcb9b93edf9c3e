import { spawn } from 'node:child_process';
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createLogFiles, LOGS_KEPT } from '../../../runtime/adapters/log-files.fs.ts';
import type { LogFilesOnDisk } from '../../../runtime/adapters/log-files.fs.ts';
import { until } from '../../support/processes-worlds.ts';
import { scratch } from '../../support/scratch.ts';
import type { Scratch } from '../../support/scratch.ts';

const APP = 'shop';
const lines = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `line ${from + index}`);
const textOf = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');

describe('LogFiles', () => {
  let folder: Scratch;
  let logs: LogFilesOnDisk;
  beforeEach(() => {
    folder = scratch();
    logs = createLogFiles({ folder: folder.file('logs'), clock: systemClock, bytesMax: 1_000 });
  });
  afterEach(() => folder[Symbol.dispose]());

  describe('prepare', () => {
    it('makes a folder for its owner only, and names the file', async () => {
      expect(await logs.prepare(APP, 'shop-1')).toBe(folder.file('logs/shop/shop-1.log'));
      expect(statSync(folder.file('logs/shop')).mode & 0o777).toBe(0o700);
      expect(await logs.prepare(APP, 'shop-1')).toBe(folder.file('logs/shop/shop-1.log'));
    });

    it.each(['../x', 'a/b', '', '.hidden'])('takes %j for no instance', async (instance) => {
      await expect(logs.prepare(APP, instance)).rejects.toThrow(/not the name of an instance/);
    });

    it('takes a path for no app', async () => {
      await expect(logs.prepare('../x', 'shop-1')).rejects.toThrow(/not the name of an app/);
    });

    it('says when the folder cannot be made', async () => {
      writeFileSync(folder.file('logs'), 'a file');
      const code = 'MESH_ERR_LOGS_FAILED';
      const refused = { code, details: { errno: 'ENOTDIR' } };
      await expect(logs.prepare(APP, 'shop-1')).rejects.toMatchObject(refused);
    });
  });

  describe('tail', () => {
    it('gives nothing of a log that is not there, or empty', async () => {
      expect(await logs.tail(APP, 'shop-1', 5)).toEqual([]);
      writeFileSync(await logs.prepare(APP, 'shop-1'), '');
      expect(await logs.tail(APP, 'shop-1', 5)).toEqual([]);
    });

    it.each([
      [0, []],
      [1, ['unfinished']],
      [3, ['two', '', 'unfinished']],
      [9, ['one', 'two', '', 'unfinished']],
    ])('gives the last %i lines', async (count, expected) => {
      writeFileSync(await logs.prepare(APP, 'shop-1'), 'one\r\ntwo\n\nunfinished');
      expect(await logs.tail(APP, 'shop-1', count)).toEqual(expected);
    });

    it('cuts long lines at 1,000 characters, none of them in half', async () => {
      const path = await logs.prepare(APP, 'shop-1');
      writeFileSync(path, `${'😀'.repeat(2_000)}\n${'x'.repeat(200_000)}\nend\n`);
      const expected = ['😀'.repeat(1_000), 'x'.repeat(1_000), 'end'];
      expect(await logs.tail(APP, 'shop-1', 3)).toEqual(expected);
    });

    it('reads on in the copies, also in the middle of a line', async () => {
      const path = await logs.prepare(APP, 'shop-1');
      writeFileSync(`${path}.2`, textOf(lines(0, 20_000)));
      writeFileSync(`${path}.1`, `${textOf(lines(20_000, 20_010))}line `);
      writeFileSync(path, `20010\n${textOf(lines(20_011, 20_015))}`);
      expect(await logs.tail(APP, 'shop-1', 9_000)).toEqual(lines(11_015, 20_015));
    });

    it('never gives more than 10,000 lines', async () => {
      writeFileSync(await logs.prepare(APP, 'shop-1'), textOf(lines(0, 12_000)));
      expect(await logs.tail(APP, 'shop-1', 1e9)).toEqual(lines(2_000, 12_000));
    });
  });

  describe('rotate', () => {
    it('leaves alone what is not there or small', async () => {
      await logs.rotate(APP, 'shop-1');
      const path = await logs.prepare(APP, 'shop-1');
      writeFileSync(path, 'x'.repeat(999));
      await logs.rotate(APP, 'shop-1');
      expect(readdirSync(folder.file('logs/shop'))).toEqual(['shop-1.log']);
    });

    it('keeps three copies for their owner only', async () => {
      const path = await logs.prepare(APP, 'shop-1');
      for (let round = 0; round < 5; round++) {
        appendFileSync(path, `${String(round).repeat(1_200)}\n`);
        await logs.rotate(APP, 'shop-1');
      }
      const files = readdirSync(folder.file('logs/shop')).toSorted();
      expect(files).toEqual(['shop-1.log', 'shop-1.log.1', 'shop-1.log.2', 'shop-1.log.3']);
      expect(
        files.map((name) => readFileSync(folder.file(`logs/shop/${name}`), 'utf8')[0]),
      ).toEqual([undefined, '4', '3', '2']);
      expect(statSync(`${path}.1`).mode & 0o777).toBe(0o600);
    });

    it('keeps the order of a process that writes all the time', async () => {
      const path = await logs.prepare(APP, 'shop-1');
      const script = 'i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done';
      const writer = spawn('/bin/sh', ['-c', `exec >>"${path}"; ${script}`], { stdio: 'ignore' });
      await until('the last line', async () => {
        await logs.rotate(APP, 'shop-1');
        return writer.exitCode !== null;
      });
      const numbers = (await logs.tail(APP, 'shop-1', 10_000))
        .map((line) => /^line (\d+)$/.exec(line)?.[1])
        // What is written in the instant of a truncation may be lost, from inside a line on.
        .filter((number) => number !== undefined)
        .map(Number);
      expect(numbers.length).toBeGreaterThan(0);
      expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
    });
  });

  describe('follow', () => {
    /** Follows in the background; what it saw so far. */
    function following(options: { readonly lines?: number } = {}) {
      const abort = new AbortController();
      const seen: string[] = [];
      const done = (async () => {
        for await (const { instance, line } of logs.follow(APP, {
          ...options,
          signal: abort.signal,
        }))
          seen.push(`${instance} ${line}`);
      })();
      return {
        seen,
        async [Symbol.asyncDispose]() {
          abort.abort();
          await done;
        },
      };
    }

    it('gives the last lines that were there, then what comes', async () => {
      const path = await logs.prepare(APP, 'shop-1');
      writeFileSync(path, 'one\ntwo\nunfin');
      await using follow = following({ lines: 2 });
      await until('the old line', () => follow.seen.length === 1);
      appendFileSync(path, 'ished\nthree\n');
      await until('the new lines', () => follow.seen.length === 3);
      expect(follow.seen).toEqual(['shop-1 two', 'shop-1 unfinished', 'shop-1 three']);
    });

    it('gives instances that come later from their first line', async () => {
      const old = await logs.prepare(APP, 'shop-1');
      writeFileSync(old, 'old\n');
      await using follow = following({ lines: 1 });
      await until('the first', () => follow.seen.length === 1);
      appendFileSync(await logs.prepare(APP, 'shop-2'), 'first\nsecond\n');
      await until('the others', () => follow.seen.length === 3);
      expect(follow.seen).toEqual(['shop-1 old', 'shop-2 first', 'shop-2 second']);
    });

    it('loses no line by rotations between two looks', async () => {
      const path = await logs.prepare(APP, 'shop-1');
      writeFileSync(path, 'start\n');
      await using follow = following({ lines: 1 });
      await until('the start', () => follow.seen.length === 1);
      for (let round = 0; round < 3; round++) {
        appendFileSync(path, textOf(lines(round * 200, (round + 1) * 200)));
        await logs.rotate(APP, 'shop-1');
      }
      appendFileSync(path, 'end\n');
      await until('the end', () => follow.seen.at(-1) === 'shop-1 end');
      const expected = ['start', ...lines(0, 600), 'end'].map((line) => `shop-1 ${line}`);
      expect(follow.seen).toEqual(expected);
    });

    it('goes on after somebody emptied the file', async () => {
      const path = await logs.prepare(APP, 'shop-1');
      writeFileSync(path, 'a longer start\n');
      await using follow = following({ lines: 1 });
      await until('the start', () => follow.seen.length === 1);
      writeFileSync(path, 'short\n');
      await until('the rest', () => follow.seen.length === 2);
      expect(follow.seen).toEqual(['shop-1 a longer start', 'shop-1 short']);
    });

    it('says when the folder cannot be read', async () => {
      writeFileSync(folder.file('logs'), 'a file');
      const { signal } = new AbortController();
      const first = logs.follow(APP, { signal })[Symbol.asyncIterator]().next();
      await expect(first).rejects.toMatchObject({ code: 'MESH_ERR_LOGS_FAILED' });
    });
  });

  describe('prune', () => {
    it('removes the oldest logs of ended instances with their copies', async () => {
      for (let index = 0; index < LOGS_KEPT + 3; index++) {
        const path = await logs.prepare(APP, `shop-${index}`);
        for (const name of [path, `${path}.1`]) {
          writeFileSync(name, 'x\n');
          utimesSync(name, 1_000 + index, 1_000 + index);
        }
      }
      await logs.prune(APP, new Set(['shop-0']));
      const left = new Set(readdirSync(folder.file('logs/shop')));
      expect(left.size).toBe(2 * (LOGS_KEPT + 1));
      expect(left).not.toContain('shop-1.log');
      expect(left).not.toContain('shop-2.log.1');
      for (const name of ['shop-0.log', 'shop-3.log', 'shop-3.log.1']) expect(left).toContain(name);
    });

    it('has nothing to do for an app without logs', async () => {
      await logs.prune(APP, new Set());
      await logs.discard(APP);
      expect(() => statSync(join(folder.path, 'logs'))).toThrow(/ENOENT/);
    });
  });

  describe('discard', () => {
    it('removes all logs of that app, and no others', async () => {
      const path = await logs.prepare(APP, 'shop-1');
      for (const name of [path, `${path}.1`]) writeFileSync(name, 'x\n');
      const other = await logs.prepare('other', 'other-1');
      writeFileSync(other, 'x\n');
      await logs.discard(APP);
      expect(readdirSync(folder.file('logs'))).toEqual(['other']);
      expect(await logs.tail('other', 'other-1', 1)).toEqual(['x']);
    });
  });
});
