import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { TRACE_SHOWN, failureText } from './failure-text.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { runSeed } from './world.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const sim = (...args: readonly string[]) =>
  execa(process.execPath, [MAIN, ...args], { reject: false });

describe('npm run sim', () => {
  it('runs seeds, says how many, and ends well', async () => {
    const { exitCode, stdout, stderr } = await sim('--peers', '2', '--seeds', '2');
    expect([exitCode, stdout]).toEqual([0, 'No rule was broken in 2 seeds.']);
    expect(stderr).toMatch(/^2 of 2 seeds, 2 peers: \d+ events, \d+ checks, /);
  });

  it.each([
    [['--peers', '1'], '--peers is 1, and must be a number from 2 to 1000.'],
    [['--seeds', 'many'], '--seeds is many, and must be a number from 1 to 1000000.'],
    [['--speed', '9'], "Unknown option '--speed'"],
  ])('ends with 2 and its usage for %j', async (args, message) => {
    const { exitCode, stderr } = await sim(...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain('npm run sim -- [--peers N]');
  });
});

describe('failureText', () => {
  it('says which rule, what came before it, and how to run the seed again', async () => {
    const bug = PLANTED_BUGS.find(({ name }) => name === 'tells of direct messages');
    const result = await runSeed({ seed: 1, peers: 5, bug });
    const text = failureText(result, { peers: 5, isTraced: false });
    expect(text).toMatch(/^\nSeed 1 broke a rule:\n  peer-\d told of \w{8}, which is not public\n/);
    expect(text).toContain('  npm run sim -- --peers 5 --first-seed 1 --seeds 1 --trace\n');
    expect(text.split('\n').length).toBeLessThan(TRACE_SHOWN + 10);
    expect(result.trace.at(-1)).toMatch(/^\d+\.\ds peer-\d → .* mesh_available of \w{6}$/);
  });
});
