import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../runtime/cli/command-table.ts';
import { serveControl } from '../../runtime/control/server.ts';
import { createFakeMesh } from '../support/control/fake-mesh.ts';
import { DIGEST_2 } from '../support/control/records.ts';
import type { FakeMesh } from '../support/control/fake-mesh.ts';
import { mesh } from '../support/mesh/command.ts';
import { scratch } from '../support/scratch.ts';

/** A served mesh of records in `.mesh` of a scratch folder. */
async function world(fake: FakeMesh = createFakeMesh()) {
  const dir = scratch();
  const server = await serveControl(fake, { home: dir.file('.mesh') });
  return {
    fake,
    dir,
    mesh: (...args: string[]) => mesh(args, { cwd: dir.path }),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      dir[Symbol.dispose]();
    },
  };
}

const json = (text: string): unknown => JSON.parse(text) as unknown;

describe('mesh COMMAND --json with a closed stdin', () => {
  it('gives the rows of ps with exactly the fields that scripts use', async () => {
    await using at = await world();
    const { exitCode, stdout, stderr } = await at.mesh('ps', '--json');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(json(stdout)).toEqual(await at.fake.ps());
    expect(Object.keys((json(stdout) as object[])[0] ?? {})).toEqual(
      'app node instance role state pid port digest version restarts since identity'.split(' '),
    );
  });

  it.each([
    ['status', (fake: FakeMesh) => fake.status('hello')],
    ['history', (fake: FakeMesh) => fake.history('hello')],
  ] as const)('gives %s as the mesh does', async (command, expected) => {
    await using at = await world();
    const { exitCode, stdout } = await at.mesh(command, 'hello', '--json');
    expect(exitCode).toBe(0);
    expect(json(stdout)).toEqual(await expected(at.fake));
  });

  it('gives the tree', async () => {
    await using at = await world();
    const { stdout } = await at.mesh('tree', '--json');
    expect(json(stdout)).toEqual(await at.fake.describe());
  });

  it.each([
    [['scale', 'hello', '--min', '1', '--max', '3']],
    [['restart', 'hello']],
    [['rollback', 'hello']],
    [['run', 'hello', DIGEST_2, '--min', '1', '--max', '2']],
  ])('ends %j with the deployment', async (args) => {
    await using at = await world();
    const { exitCode, stdout } = await at.mesh(...args, '--json');
    expect(exitCode).toBe(0);
    expect(json(stdout)).toMatchObject({ app: 'hello', generation: 2, outcome: 'succeeded' });
  });

  it('gives a line for each step of a followed run', async () => {
    await using at = await world();
    const { stdout } = await at.mesh('run', 'hello', DIGEST_2, '--json', '--follow');
    const steps = stdout.trim().split('\n').map(json);
    expect(steps).toMatchObject([{ serving: 0 }, { serving: 1 }, { serving: 2 }]);
  });

  it('stops and removes', async () => {
    await using at = await world();
    expect(json((await at.mesh('stop', 'hello', '--json')).stdout)).toMatchObject({
      intent: 'stop',
    });
    expect(json((await at.mesh('rm', 'hello', '--json')).stdout)).toEqual({
      app: 'hello',
      removed: true,
    });
  });

  it('checks the place, explains, completes, lists trust', async () => {
    await using at = await world();
    const doctor = await at.mesh('doctor', '--json', '--port', '0');
    expect((json(doctor.stdout) as { check: string }[]).map(({ check }) => check)).toContain(
      'mesh',
    );
    const explained = await at.mesh('explain', 'MESH_ERR_CLI_USAGE', '--json');
    expect(json(explained.stdout)).toMatchObject({ code: 'MESH_ERR_CLI_USAGE', exitCode: 2 });
    expect(json((await at.mesh('completion', 'bash', '--json')).stdout)).toMatchObject({
      shell: 'bash',
    });
    expect(json((await at.mesh('trust', 'ls', '--json')).stdout)).toEqual([]);
    expect(json((await at.mesh('logs', 'hello', '--json')).stdout)).toEqual([]);
  });

  it.each(COMMANDS.map(({ name }) => name))('gives the error of %s in JSON', async (name) => {
    using dir = scratch();
    const args = [...name.split(' '), '--no-such-option', '--json'];
    const { exitCode, stdout, stderr } = await mesh(args, { cwd: dir.path });
    expect([exitCode, stderr]).toEqual([2, '']);
    expect(json(stdout)).toMatchObject({
      error: {
        code: 'MESH_ERR_CLI_USAGE',
        message: expect.stringMatching(/^unknown option|^required option/) as string,
        hint: expect.stringContaining('mesh --help') as string,
      },
    });
  });
});

describe('mesh', () => {
  it('keeps data apart from all else', async () => {
    await using at = await world();
    const { stdout, stderr } = await at.mesh('run', 'hello', DIGEST_2);
    expect(stdout).toBe('hello generation 2 succeeded: 1.0.0 222222222222\n');
    expect(stderr.split('\n')).toEqual([
      'hello generation 2 (1.0.0): 1/2 ready, 0/2 serving, pending',
      'hello generation 2 (1.0.0): 2/2 ready, 1/2 serving, pending',
      'hello generation 2 (1.0.0): 2/2 ready, 2/2 serving, succeeded',
      '2 of 2 serve after 1.5s.',
      '',
    ]);
  });

  it('says nothing but data and errors under --progress quiet', async () => {
    await using at = await world();
    const { stderr } = await at.mesh('run', 'hello', DIGEST_2, '--progress', 'quiet');
    expect(stderr).toBe('');
  });

  it('says the next command where there is nothing to list', async () => {
    await using at = await world(createFakeMesh({ empty: true }));
    const { exitCode, stdout, stderr } = await at.mesh('ps');
    expect([exitCode, stdout]).toEqual([0, '']);
    expect(stderr).toContain('mesh run APP DIGEST');
    expect((await at.mesh('ps', '--json')).stdout).toBe('[]\n');
  });

  it('shows what a deployment that was reverted left behind', async () => {
    await using at = await world();
    at.fake.next = {
      outcome: 'reverted',
      reason: {
        code: 'MESH_ERR_INSTANCE_EXITED',
        message: 'hello-9 exited before it was healthy.',
        node: 'node-2',
        instance: 'hello-9',
        exitCode: 3,
        lastProbe: 'connection refused',
        logTail: Array.from({ length: 25 }, (_, index) => `line ${String(index + 1)}`),
      },
    };
    const { exitCode, stdout, stderr } = await at.mesh('run', 'hello', DIGEST_2);
    expect([exitCode, stdout]).toEqual([1, '']);
    const lines = stderr.split('\n');
    expect(
      lines.slice(lines.indexOf('last 20 lines of the log of hello-9 on node-2:') + 1),
    ).toEqual([
      ...Array.from({ length: 20 }, (_, index) => `  line ${String(index + 6)}`),
      'exit code: 3',
      'last probe: connection refused',
      'still serving: 111111111111',
      'error: The deployment hello generation 2 ended as reverted: ' +
        'hello-9 exited before it was healthy.',
      '  hint: Mend what the reason names, build and publish again; see `mesh history APP`.',
      '  code: MESH_ERR_CLI_DEPLOYMENT_REVERTED (mesh explain MESH_ERR_CLI_DEPLOYMENT_REVERTED)',
      '',
    ]);
    const again = await at.mesh('restart', 'hello', '--json');
    expect(again.exitCode).toBe(1);
    expect(json(again.stdout)).toMatchObject({
      error: {
        code: 'MESH_ERR_CLI_DEPLOYMENT_REVERTED',
        details: { deployment: { outcome: 'reverted' }, reason: { exitCode: 3 } },
      },
    });
  });

  it.each([
    ['failed', 'MESH_ERR_CLI_DEPLOYMENT_FAILED', 1],
    ['superseded', 'MESH_ERR_CLI_DEPLOYMENT_OVERTAKEN', 6],
    ['stopped', 'MESH_ERR_CLI_DEPLOYMENT_OVERTAKEN', 6],
  ] as const)('ends a run that %s with %s', async (outcome, code, expected) => {
    await using at = await world();
    at.fake.next = { outcome, reason: null };
    const { exitCode, stdout } = await at.mesh('run', 'hello', DIGEST_2, '--json');
    expect(exitCode).toBe(expected);
    expect(json(stdout)).toMatchObject({ error: { code } });
  });

  it('follows no longer than it is told', async () => {
    await using at = await world();
    at.fake.beforeEnd = () => new Promise(() => undefined);
    const args = ['run', 'hello', DIGEST_2, '--timeout', '1', '--json'];
    const { exitCode, stdout } = await at.mesh(...args);
    expect(exitCode).toBe(7);
    expect(json(stdout)).toMatchObject({ error: { code: 'MESH_ERR_CLI_TIMED_OUT' } });
  });

  it('does not wait when it is detached', async () => {
    await using at = await world();
    const { exitCode, stdout } = await at.mesh('run', 'hello', DIGEST_2, '--detach');
    expect([exitCode, stdout]).toEqual([0, '2\n']);
    expect(at.fake.calls.map(({ method }) => method)).toEqual(['run']);
  });

  it('ends well for a reader that leaves early', async () => {
    await using at = await world();
    const main = fileURLToPath(new URL('../../runtime/cli/main.ts', import.meta.url));
    const { promise, resolve } = Promise.withResolvers<{ stdout: string; stderr: string }>();
    const { execFile } = await import('node:child_process');
    const script = 'set -o pipefail; "$0" "$1" ps | head -1; echo "$?"';
    const options = { cwd: at.dir.path };
    execFile('bash', ['-c', script, process.execPath, main], options, (_, stdout, stderr) => {
      resolve({ stdout, stderr });
    });
    const { stdout, stderr } = await promise;
    expect(stdout).toMatch(/^APP +NODE .*\n0\n$/);
    expect(stderr).toBe('');
  });

  it('has colours for a terminal alone, and none under NO_COLOR', async () => {
    await using at = await world();
    const escape = '\u001B[';
    expect((await at.mesh('tree')).stdout).not.toContain(escape);
    const cwd = at.dir.path;
    const forced = await mesh(['tree'], { cwd, env: { FORCE_COLOR: '1' } });
    expect(forced.stdout).toContain(escape);
    const without = await mesh(['tree'], { cwd, env: { NO_COLOR: '1' } });
    expect(without.stdout).not.toContain(escape);
  });

  it('starts without streams to write to', async () => {
    using dir = scratch();
    const main = fileURLToPath(new URL('../../runtime/cli/main.ts', import.meta.url));
    const { status } = spawnSync(
      'bash',
      ['-c', '"$0" "$1" trust ls <&- >&- 2>&-', process.execPath, main],
      { cwd: dir.path },
    );
    expect(status).toBe(0);
  });

  it('takes settings from flags before variables before the project file', async () => {
    using dir = scratch();
    writeFileSync(dir.file('mesh.toml'), 'home = "from-file"\n');
    const homeOf = async (args: string[], env: Record<string, string>) => {
      const { stdout } = await mesh(['ps', '--json', ...args], { cwd: dir.path, env });
      return (json(stdout) as { error: { message: string } }).error.message;
    };
    expect(await homeOf([], {})).toContain(dir.file('from-file/mesh.sock'));
    expect(await homeOf([], { MESH_HOME: 'from-env' })).toContain(dir.file('from-env/mesh.sock'));
    expect(await homeOf(['--home', 'said'], { MESH_HOME: 'from-env' })).toContain(
      dir.file('said/mesh.sock'),
    );
  });
});
