/** Each example is a whole program: it is run as a newcomer runs it, and must say what it promises. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { scratch } from './support/scratch.ts';
import { matchesOutput } from './support/docs/transcript.ts';

const folder = fileURLToPath(new URL('examples', import.meta.url));

/** What each example prints; `…` stands for what differs from run to run. */
const EXAMPLES: Readonly<Record<string, string>> = {
  'start-tree.ts': 'house/door crashed: error\nhouse/door is closed again, restarts: 1',
};

describe('examples', () => {
  it('are all executed', () => {
    const found = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    expect(found.toSorted()).toEqual(Object.keys(EXAMPLES).toSorted());
  });

  it.each(Object.entries(EXAMPLES))('%s says what it promises', async (name, expected) => {
    using home = scratch();
    const { stdout, exitCode, stderr } = await execa(process.execPath, [`${folder}/${name}`], {
      cwd: home.path,
      env: { MESH_HOME: home.file(basename(name)) },
      reject: false,
      timeout: 60_000,
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(matchesOutput(expected, stdout), stdout).toBe(true);
  });
});
