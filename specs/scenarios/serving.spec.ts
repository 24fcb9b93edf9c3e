/** The commands of a whole life, typed one after the other against a mesh that `mesh up` serves. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { homeIdOf } from '../../runtime/home.ts';
import { serve } from '../../runtime/cli/serve.ts';
import { createLogger } from '../../runtime/telemetry/logger.ts';
import { mesh, startMeshCommand } from '../support/mesh/command.ts';
import { until } from '../support/mesh/world.ts';
import { processesOf } from '../support/mesh/processes-of.ts';
import { scratch } from '../support/scratch.ts';
import type { Scratch } from '../support/scratch.ts';

const SERVICE = fileURLToPath(
  new URL('../support/sample-services/http-service.mjs', import.meta.url),
);

/** A shell in a folder of its own, with MESH_HOME at its default. */
function shell(dir: Scratch) {
  const cwd = dir.path;
  const type = (...args: string[]) => mesh(args, { cwd });
  return {
    type,
    home: dir.file('.mesh'),
    /** Succeeds, or the spec fails with what it said. */
    ok: async (...args: string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await type(...args);
      expect([exitCode, exitCode === 0 ? '' : stderr]).toEqual([0, '']);
      return stdout.trim();
    },
    start: (...args: string[]): ChildProcess => startMeshCommand(args, { cwd }),
    manifest: (version: string, mode?: string): string => {
      const name = `manifest-${version}.json`;
      const env = {
        PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
        SAMPLE_VERSION: version,
        ...(mode === undefined ? {} : { SAMPLE_MODE: mode }),
      };
      const runtime = { command: 'node', args: ['{binary}'], env };
      const health = { startTimeoutMs: 10_000, warmupMs: 20 };
      writeFileSync(dir.file(name), JSON.stringify({ name: 'hello', version, runtime, health }));
      return name;
    },
  };
}
type Shell = ReturnType<typeof shell>;

/** Made with `mesh keygen`, trusted, built, published: the digest. */
async function published(at: Shell, version: string, mode?: string): Promise<string> {
  const file = `hello-${version}.spore`;
  const manifest = at.manifest(version, mode);
  await at.ok('build', '-m', manifest, SERVICE, '--key', 'alice.key', '-o', file);
  return at.ok('publish', file);
}

async function trusted(at: Shell): Promise<void> {
  await at.ok('keygen', 'alice');
  await at.ok('trust', 'add', 'alice.pub');
}

/** `mesh up --json` says on stdout that it serves. */
async function up(
  at: Shell,
  ...args: string[]
): Promise<{ child: ChildProcess; url: string; adminUrl: string | null }> {
  const child = at.start('up', '--port', '0', '--json', ...args);
  child.stderr?.resume();
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  const info = JSON.parse(line.toString()) as { edgeUrl: string; adminUrl: string | null };
  return { child, url: info.edgeUrl, adminUrl: info.adminUrl };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
  return child.exitCode;
}

describe('mesh keygen, trust, build, verify, publish', () => {
  it('work without a running mesh, and print data alone', async () => {
    using dir = scratch();
    const at = shell(dir);
    expect(await at.ok('keygen', 'alice')).toBe('alice.key\nalice.pub');
    expect(statSync(dir.file('alice.key')).mode & 0o777).toBe(0o600);
    expect((await at.type('keygen', 'alice')).exitCode).toBe(6);
    const id = await at.ok('trust', 'add', 'alice.pub');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.parse(await at.ok('trust', 'ls', '--json'))).toMatchObject([{ name: 'alice', id }]);
    const digest = await published(at, '1.0.0');
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(await at.ok('publish', 'hello-1.0.0.spore')).toBe(digest);
    expect(await at.ok('verify', 'hello-1.0.0.spore', '--digest', digest)).toBe(
      ['format', 'digest', 'signature', 'trust', 'policy']
        .map((name) => `ok    ${name}`)
        .join('\n'),
    );
    await at.ok('trust', 'rm', 'alice');
    const untrusted = await at.type('verify', 'hello-1.0.0.spore', '--json');
    expect(untrusted.exitCode).toBe(4);
    expect(JSON.parse(untrusted.stdout)).toMatchObject({
      error: {
        code: 'MESH_ERR_CLI_VERIFICATION_FAILED',
        message: expect.stringContaining('trust'),
      },
    });
    const bytes = readFileSync(dir.file('hello-1.0.0.spore'));
    bytes.writeUInt8(bytes.readUInt8(200) ^ 1, 200);
    writeFileSync(dir.file('changed.spore'), bytes);
    expect((await at.type('publish', 'changed.spore')).exitCode).toBe(4);
    expect((await at.type('publish', 'absent.spore')).exitCode).toBe(1);
    expect((await at.type('run', 'hello', 'hello-1.0.0.spore')).exitCode).toBe(5);
  });
});

describe('mesh up', () => {
  it('serves what is run on it, shows why a version failed, and ends with nothing left', async () => {
    using dir = scratch();
    const at = shell(dir);
    await trusted(at);
    const first = await published(at, '1.0.0');
    const { child, url, adminUrl } = await up(at, '--nodes', '2', '--admin-port', '0');
    expect(await at.ok('run', 'hello', first, '--min', '1', '--max', '2')).toContain('succeeded');
    expect((await fetch(`${url}/hello/version`)).status).toBe(200);

    const none = await at.type('rollback', 'hello', '--json');
    expect(none.exitCode).toBe(3);
    expect(none.stdout).toContain('MESH_ERR_FABRIC_NO_ROLLBACK');
    expect((await at.type('run', 'hello', '0'.repeat(64))).exitCode).toBe(3);
    expect((await at.type('status', 'nobody')).exitCode).toBe(3);

    const broken = await published(at, '2.0.0', 'exit:3');
    const failed = await at.type('run', 'hello', broken);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(/still serving: [0-9a-f]{12}/);
    expect(failed.stderr).toContain('MESH_ERR_CLI_DEPLOYMENT_REVERTED');
    const status = JSON.parse(await at.ok('status', 'hello', '--json')) as {
      state: string;
      deployments: { outcome: string; reason: unknown }[];
    };
    expect(status.state).toBe('running');
    expect(status.deployments.map(({ outcome }) => outcome)).toContain('reverted');

    await at.ok('run', 'hello', await published(at, '3.0.0'), '--max', '2');
    await at.ok('rollback', 'hello');
    await at.ok('scale', 'hello', '--min', '1', '--max', '1');
    await at.ok('restart', 'hello');

    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/^mesh_edge_requests_total\{app="hello",code="2xx"\} [1-9]/m);
    expect(metrics).toMatch(/^mesh_workload_up\{app="hello",role="active"\} 1$/m);
    expect(metrics).toMatch(/^mesh_deploy_seconds_count\{outcome="reverted"\} 1$/m);
    expect(await at.ok('logs', 'hello', '--lines', '5')).not.toBe('');
    expect(JSON.parse(await at.ok('ps', '--json'))).toHaveLength(1);

    const homeId = homeIdOf(at.home);
    expect(await end(child, 'SIGTERM')).toBe(0);
    expect(processesOf(homeId)).toEqual([]);
    expect((await at.type('ps')).exitCode).toBe(5);
    expect(await at.ok('logs', 'hello', '--lines', '5')).not.toBe('');
  });

  it('scales to nothing and back', async () => {
    using dir = scratch();
    const at = shell(dir);
    await trusted(at);
    const { child, url } = await up(at, '--nodes', '2');
    await at.ok('run', 'hello', await published(at, '1.0.0'), '--min', '2', '--max', '2');
    await at.ok('scale', 'hello', '--min', '0', '--max', '0');
    await until('nothing runs', async () => (await at.ok('ps', '--json')) === '[]');
    expect(processesOf(homeIdOf(at.home))).toEqual([]);
    expect(JSON.parse(await at.ok('status', 'hello', '--json'))).toMatchObject({
      state: 'stopped',
      why: 'It is scaled to nothing.',
      endpoints: [],
    });
    expect((await fetch(`${url}/hello/version`)).status).toBe(503);

    await at.ok('scale', 'hello', '--min', '2', '--max', '2');
    expect(JSON.parse(await at.ok('ps', '--json'))).toHaveLength(2);
    expect((await fetch(`${url}/hello/version`)).status).toBe(200);
    expect(await end(child, 'SIGTERM')).toBe(0);
  });

  it('refuses a second mesh in the same folder, but not after the first was killed', async () => {
    using dir = scratch();
    const at = shell(dir);
    const first = await up(at, '--nodes', '1');
    const second = await at.type('up', '--port', '0', '--json');
    expect(second.exitCode).toBe(6);
    expect(JSON.parse(second.stdout)).toMatchObject({
      error: {
        code: 'MESH_ERR_CONTROL_ALREADY_RUNNING',
        details: { pid: first.child.pid },
      },
    });
    await end(first.child, 'SIGKILL');
    const third = await up(at, '--nodes', '1');
    expect(await at.ok('ps', '--json')).toBe('[]');
    expect(await end(third.child, 'SIGINT')).toBe(130);
  });

  it('ends at once when it is asked a second time', async () => {
    using dir = scratch();
    const at = shell(dir);
    await trusted(at);
    const digest = await published(at, '1.0.0', 'ignore_sigterm');
    const { child } = await up(at, '--nodes', '2');
    await at.ok('run', 'hello', digest);
    const homeId = homeIdOf(at.home);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    // What comes within a second is the same wish, passed on by npm.
    child.kill('SIGTERM');
    // The second signal is chosen to come after that second.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const askedAtMs = performance.now();
    child.kill('SIGTERM');
    await ended;
    console.log(`ended ${Math.round(performance.now() - askedAtMs)} ms after the second signal`);
    expect(child.exitCode).toBe(0);
    expect(processesOf(homeId)).toEqual([]);
  });
});

describe('mesh run', () => {
  it('only detaches at Ctrl-C, and the deployment goes on', async () => {
    using dir = scratch();
    const at = shell(dir);
    await trusted(at);
    const digest = await published(at, '1.0.0', 'never_healthy');
    const { child } = await up(at, '--nodes', '1');
    const follower = at.start('run', 'hello', digest);
    let said = '';
    follower.stderr?.setEncoding('utf8').on('data', (piece: string) => (said += piece));
    await until('the follower follows', () => said.includes('0/1 ready'));
    expect(await end(follower, 'SIGINT')).toBe(130);
    await until('it says so', () => said.includes('Detached: the deployment hello generation 1'));
    const { state } = JSON.parse(await at.ok('status', 'hello', '--json')) as { state: string };
    expect(state).toBe('deploying');
    expect(await end(child, 'SIGTERM')).toBe(0);
  });

  it('ends a following of logs with the signal that asked for it', async () => {
    using dir = scratch();
    const at = shell(dir);
    await trusted(at);
    const { child } = await up(at, '--nodes', '1');
    await at.ok('run', 'hello', await published(at, '1.0.0'));
    const follower = at.start('logs', 'hello', '-f', '--json');
    const [line] = (await once(follower.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    expect(JSON.parse(line.toString().split('\n')[0] ?? '')).toMatchObject({
      instance: expect.stringMatching(/^hello-/) as string,
    });
    expect(await end(follower, 'SIGTERM')).toBe(143);
    expect(await end(child, 'SIGTERM')).toBe(0);
  });
});

describe('mesh doctor, explain', () => {
  it('fail where something is not in order, or not known', async () => {
    using dir = scratch();
    const at = shell(dir);
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const sick = await at.type('doctor', '--port', String(port), '--json');
    holder.close();
    expect(sick.exitCode).toBe(1);
    expect(JSON.parse(sick.stdout)).toMatchObject({
      error: { code: 'MESH_ERR_CLI_UNHEALTHY', message: 'Not in order: edge port.' },
    });
    const unknown = await at.type('explain', 'MESH_ERR_CLI_USAG', '--json');
    expect(unknown.exitCode).toBe(3);
    expect(JSON.parse(unknown.stdout)).toMatchObject({
      error: {
        code: 'MESH_ERR_CLI_UNKNOWN_CODE',
        message: expect.stringContaining('Did you mean MESH_ERR_CLI_USAGE?') as string,
      },
    });
  });
});

describe('serve', () => {
  it('rejects when the mesh ends by itself, and leaves nothing', async () => {
    using dir = scratch();
    const served = serve({
      mesh: { home: dir.path, port: 0, nodes: 1 },
      adminPort: null,
      logger: createLogger({ level: 'silent' }),
      onServing: async ({ tree }) => tree.stop(),
      onStopping: () => undefined,
    });
    await expect(served).rejects.toMatchObject({ code: 'MESH_ERR_CLI_MESH_ENDED' });
    expect(processesOf(homeIdOf(dir.path))).toEqual([]);
  });
});
