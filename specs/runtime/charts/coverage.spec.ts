import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMachine } from 'xstate';
import { describe, expect, it } from 'vitest';
import { chartOf } from '../../../runtime/charts/chart.ts';
import {
  chartHash,
  coverageIn,
  coverageOf,
  readCoverage,
  writeCoverage,
} from '../../../runtime/charts/coverage.ts';

const door = (description: string, target: string) =>
  chartOf(
    createMachine({
      id: 'door',
      description,
      initial: 'closed',
      states: { closed: { on: { open: target } }, open: {}, ajar: {} },
    }),
  );

describe('chartHash', () => {
  it('changes with a transition, and not with a description', () => {
    expect(chartHash(door('one', 'open'))).toBe(chartHash(door('other', 'open')));
    expect(chartHash(door('one', 'open'))).not.toBe(chartHash(door('one', 'ajar')));
  });
});

describe('coverage files', () => {
  it('come back as they were written, and are told from all else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coverage-'));
    try {
      const coverage = coverageOf(door('', 'open'), new Map([['closed|open|0', 3]]));
      const path = join(folder, 'deeper', 'door.json');
      await writeCoverage(path, coverage);
      expect(await readCoverage(path)).toEqual(coverage);
      expect(coverage.transitions).toEqual([
        { source: 'closed', event: 'open', index: 0, count: 3 },
      ]);
      for (const text of ['{', '{"machine":"door"}', '[]']) {
        await writeFile(join(folder, 'broken.json'), text);
        await expect(readCoverage(join(folder, 'broken.json'))).rejects.toMatchObject({
          code: 'MESH_ERR_CHART_COVERAGE',
        });
      }
      expect(await coverageIn(folder, 'door')).toEqual([]);
      expect(await coverageIn(join(folder, 'deeper'), 'door')).toEqual([coverage]);
      expect(await coverageIn(join(folder, 'nowhere'), 'door')).toEqual([]);
      await expect(writeCoverage(join(path, 'below'), coverage)).rejects.toMatchObject({
        code: 'MESH_ERR_CHART_COVERAGE',
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
