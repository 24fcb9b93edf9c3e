import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const startTree = new URL('../../runtime/start-tree.ts', import.meta.url).href;
const xstate = import.meta.resolve('xstate');

/**
 * Runs a program in a Node of its own, because it is about errors that nobody catches, and a test
 * runner catches all. Its last line is the result.
 */
async function program(body: string): Promise<{ code: number; out: unknown; err: string }> {
  const source = `
    import { fromCallback, fromPromise, setup } from ${JSON.stringify(xstate)};
    import { startTree } from ${JSON.stringify(startTree)};
    const until = async (holds) => {
      for (let turn = 0; turn < 2000 && !holds(); turn++) await new Promise((r) => setTimeout(r, 1));
    };
    const print = (value) => console.log(JSON.stringify(value));
    ${body}`;
  const args = ['--input-type=module', '--eval', source];
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  try {
    const { stdout, stderr } = await run(process.execPath, args, { cwd, timeout: 15_000 });
    return { code: 0, out: JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null'), err: stderr };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, out: undefined, err: stderr };
  }
}

const supervised = (logic: string, root = '') => `
  const logic = ${logic};
  const crashes = [];
  let starts = 0;
  const tree = await startTree({
    id: 'root', type: 'supervisor', ${root}
    children: [{ id: 'a', logic, input: () => (starts++, {}) }],
  });
  tree.onReport((report) => report.type === 'crash' && crashes.push(report.reason.cause.cause.message));
`;

describe('startTree', () => {
  it('resolves when all is up, and stops', async () => {
    const { out } = await program(`
      ${supervised('setup({}).createMachine({ initial: "up", states: { up: {} } })')}
      const state = tree.describe().children[0].state;
      await tree.stop();
      print([state, await tree.ended]);
    `);
    expect(out).toEqual(['up', { type: 'shutdown' }]);
  });

  it('rejects a bad spec by code', async () => {
    const { out } = await program(`
      const error = await startTree({ id: '', type: 'supervisor' }).catch((error) => error);
      print(error.code);
    `);
    expect(out).toBe('MESH_ERR_SUPERVISOR_SPEC_INVALID');
  });

  it.each([
    ['a timer', 'setTimeout(() => { throw new Error("late"); }, 1)'],
    ['a microtask', 'queueMicrotask(() => { throw new Error("late"); })'],
    ['a promise', 'Promise.reject(new Error("late"))'],
    ['an async function', '(async () => { await null; throw new Error("late"); })()'],
  ])('gives an error thrown later, in %s, to the supervisor of the actor', async (_, throws) => {
    const { out, code } = await program(`
      ${supervised(`fromCallback(({ receive }) => receive(() => { ${throws}; }))`)}
      tree.send('root/a', { type: 'go' });
      await until(() => starts === 2);
      await tree.stop();
      print([crashes, starts]);
    `);
    expect({ out, code }).toEqual({ out: [['late'], 2], code: 0 });
  });

  it('gives an error of a machine’s own callback to that callback first', async () => {
    const { out } = await program(`
      ${supervised(`setup({
        actors: { late: fromCallback(() => { setTimeout(() => { throw new Error('late'); }, 1); }) },
      }).createMachine({
        initial: 'up',
        states: { up: { invoke: { src: 'late', onError: 'handled' } }, handled: {} },
      })`)}
      await until(() => tree.describe().children[0].state === 'handled');
      print([tree.describe().children[0].state, crashes, starts]);
      await tree.stop();
    `);
    expect(out).toEqual(['handled', [], 1]);
  });

  it('leaves an error without an owner to Node, which ends the process', async () => {
    const { code, err } = await program(`
      ${supervised('fromCallback(() => {})')}
      setTimeout(() => { throw new Error('nobody’s'); }, 1);
      await new Promise(() => setTimeout(() => {}, 10_000));
    `);
    expect(code).not.toBe(0);
    expect(err).toContain('nobody’s');
  });

  it('reports an error whose actor has ended, and lets the program live', async () => {
    const { out } = await program(`
      ${supervised('fromCallback(() => { setTimeout(() => { throw new Error("late"); }, 30); })')}
      const strays = [];
      tree.onReport((report) => report.type === 'stray_error' && strays.push(report.path));
      await tree.terminateChild('root', 'a');
      await until(() => strays.length > 0);
      await tree.stop();
      print([strays, crashes]);
    `);
    expect(out).toEqual([['root/a'], []]);
  });

  it('never throws globally when the root gives up, and hooks nothing afterwards', async () => {
    const { out, code } = await program(`
      ${supervised('fromPromise(() => Promise.reject(new Error("always")))')}
      const reason = await tree.ended;
      print([
        reason.type,
        reason.cause.code,
        process.hasUncaughtExceptionCaptureCallback(),
        process.listenerCount('unhandledRejection'),
      ]);
    `);
    expect({ out, code }).toEqual({
      out: ['shutdown', 'MESH_ERR_SUPERVISOR_INTENSITY_REACHED', false, 0],
      code: 0,
    });
  });
});
