import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ROUNDS_MIN, cpuSecondsOf, median, missing, programOnPath, runBench } from './harness.ts';
import type { Measure } from './harness.ts';

/** Gives the figures one after the other, and notes who was asked when. */
function contender(who: string, figures: readonly number[], log: string[]): Measure {
  let round = 0;
  return () => {
    log.push(who);
    return figures[round++] ?? 0;
  };
}

describe('runBench', () => {
  it('turns the order, drops the warm-up round, and compares medians', async () => {
    const log: string[] = [];
    const result = await runBench('demo', () => ({
      rows: [
        {
          metric: 'events',
          unit: '1/s',
          better: 'more',
          ours: contender('ours', [999, 30, 10, 50, 20, 40], log),
          peers: {
            other: contender('other', [999, 10, 10, 15, 20, 20], log),
            absent: missing('absent is not installed'),
          },
        },
      ],
    }));
    expect(result.rows).toEqual([
      {
        metric: 'events',
        unit: '1/s',
        ours: 30,
        peers: { other: 15 },
        ratio: { other: 2 },
        gaps: { absent: 'absent is not installed' },
      },
    ]);
    expect(log).toHaveLength(2 * (ROUNDS_MIN + 1));
    expect(log.slice(0, 4)).toEqual(['ours', 'other', 'other', 'ours']);
    expect(Object.keys(result)).toEqual(['name', 'machine', 'rows']);
    expect(result.machine).toMatchObject({ node: process.versions.node });
  });

  it('cleans up after a round that fails', async () => {
    let isDisposed = false;
    const ours = (): number => {
      throw new Error('The round failed.');
    };
    const row = { metric: 'm', unit: 'u', better: 'less', ours, peers: {} } as const;
    const dispose = (): void => {
      isDisposed = true;
    };
    await expect(runBench('demo', () => ({ rows: [row], dispose }))).rejects.toThrow('The round');
    expect(isDisposed).toBe(true);
  });
});

describe('median', () => {
  it.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 2, 100], 3],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe('cpuSecondsOf', () => {
  it('grows with the work of this process, and apart from that with its children', async () => {
    const own = cpuSecondsOf(process.pid);
    const children = cpuSecondsOf(process.pid, true) - own;
    const spin = 'const end = performance.now() + 200; while (performance.now() < end);';
    await promisify(execFile)(process.execPath, ['-e', spin]);
    const later = cpuSecondsOf(process.pid, true) - cpuSecondsOf(process.pid);
    expect(later - children).toBeGreaterThan(0.03);
    expect(own).toBeGreaterThan(0);
  });
});

describe('programOnPath', () => {
  it('finds what is executable and nothing else', () => {
    expect(programOnPath('sh')).toMatch(/\/sh$/);
    expect(programOnPath('no-such-program')).toBeUndefined();
  });
});

describe('npm run bench', () => {
  it('names the benches there are when asked for another', async () => {
    const main = new URL('./main.ts', import.meta.url).pathname;
    const failed = promisify(execFile)(process.execPath, [main, 'nonsense']);
    await expect(failed).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/There is no bench "nonsense"\. There are: .*hash.*verify/),
    });
  });
});
