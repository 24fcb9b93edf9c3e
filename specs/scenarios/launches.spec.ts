import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { deploy, meshWorld } from '../support/mesh/world.ts';
import type { SampleSpore } from '../support/mesh/world.ts';

const PYTHON = fileURLToPath(
  new URL('../support/sample-services/http-service.py', import.meta.url),
);
const hasPython = spawnSync('/usr/bin/python3', ['--version']).status === 0;
const ONE = { min: 1, max: 1 };

describe('a launch', () => {
  it.skipIf(!hasPython)('runs a Python script (apt-get install python3-minimal)', async () => {
    await using world = await meshWorld();
    const mesh = await world.start({ nodes: 1 });
    const runtime = { command: 'python3', args: ['-u', '{binary}'] };
    const digest = await world.spore({ version: '1.0.0', binary: PYTHON, manifest: { runtime } });
    const { deployment } = await deploy(mesh, digest, ONE);
    expect(deployment).toMatchObject({ outcome: 'succeeded', reason: null });
    const answer = await fetch(`${mesh.edgeUrl}/hello/hello`);
    expect(await answer.text()).toContain('hello from Python 1.0.0');
  });

  it('runs a compiled binary of over 100 MB: the pinned node itself', async () => {
    await using world = await meshWorld();
    const mesh = await world.start({ nodes: 1 });
    expect(statSync(process.execPath).size).toBeGreaterThan(100e6);
    const script =
      'require("node:http").createServer((_, r) => r.end(process.execPath)).listen(process.env.PORT, "127.0.0.1")';
    const digest = await world.spore({
      version: '1.0.0',
      binary: process.execPath,
      manifest: { runtime: { args: ['-e', script] } },
    });
    const { deployment } = await deploy(mesh, digest, ONE);
    expect(deployment).toMatchObject({ outcome: 'succeeded', reason: null });
    const answer = await fetch(`${mesh.edgeUrl}/hello/`);
    // What runs is the verified copy in the instance's own folder.
    expect(await answer.text()).toContain(world.home);
  });

  const failures: [string, Partial<SampleSpore>, string, RegExp][] = [
    [
      'a program that is not on PATH',
      { manifest: { runtime: { command: 'no-such-program', args: ['{binary}'] } } },
      'MESH_ERR_PROCESS_PROGRAM_MISSING',
      /no-such-program/,
    ],
    ['one that exits at once', { mode: 'exit:3' }, 'MESH_ERR_INSTANCE_EXITED', /code 3/],
    [
      'one that is never healthy',
      { mode: 'never_healthy', manifest: { health: { startTimeoutMs: 400 } } },
      'MESH_ERR_INSTANCE_NOT_HEALTHY',
      /200/,
    ],
    [
      'one that never listens',
      { mode: 'no_listen', manifest: { health: { startTimeoutMs: 400 } } },
      'MESH_ERR_INSTANCE_NOT_HEALTHY',
      /200/,
    ],
  ];
  it.each(failures)('reports %s', async (_, sample, code, message) => {
    await using world = await meshWorld();
    const mesh = await world.start({ nodes: 1 });
    const digest = await world.spore({ version: '1.0.0', ...sample });
    const { deployment } = await deploy(mesh, digest, ONE);
    expect(deployment.outcome).toBe('failed');
    expect(deployment.reason?.code).toBe(code);
    expect(deployment.reason?.message).toMatch(message);
    expect((await mesh.status('hello')).state).toBe('failed');
    expect(deployment.reason?.logTail).toBeDefined();
  });

  it('does not take the answer of whoever holds its port for its own', async () => {
    await using world = await meshWorld();
    // The service starts a thief of its own port: outside of its group, without its environment.
    const script = `
      const { createServer } = require("node:http");
      const { spawn } = require("node:child_process");
      const thief = "require('node:http').createServer((_, r) => r.end('ok')).listen(" +
        process.env.PORT + ", '127.0.0.1'); setTimeout(process.exit, 8000)";
      spawn(process.execPath, ["-e", thief], { detached: true, stdio: "ignore", env: {} }).unref();
      setInterval(() => {}, 1000);`;
    const mesh = await world.start({ nodes: 1 });
    const digest = await world.spore({
      version: '1.0.0',
      manifest: {
        runtime: {
          command: 'node',
          args: ['-e', script, '{binary}'],
          env: { PATH: dirname(process.execPath) },
        },
        health: { startTimeoutMs: 5_000 },
      },
    });
    const { deployment } = await deploy(mesh, digest, ONE);
    expect(deployment.outcome).toBe('failed');
    expect(deployment.reason?.code).toBe('MESH_ERR_INSTANCE_PORT_HIJACKED');
  });

  it('gives a workload a clean environment, and its own folder and port', async () => {
    process.env['HOST_SECRET'] = 'must not be seen';
    try {
      await using world = await meshWorld();
      const mesh = await world.start({ nodes: 1 });
      await deploy(mesh, await world.spore({ version: '1.0.0' }), ONE);
      const answer = await fetch(`${mesh.edgeUrl}/hello/environment`);
      const seen = (await answer.json()) as Record<string, string>;
      expect(Object.keys(seen).toSorted()).toEqual([
        'MESH_APP',
        'MESH_DIGEST',
        'MESH_HOME_ID',
        'MESH_INSTANCE',
        'MESH_NODE',
        'MESH_TOKEN',
        'MESH_VERSION',
        'PATH',
        'PORT',
        'SAMPLE_VERSION',
      ]);
    } finally {
      delete process.env['HOST_SECRET'];
    }
  });

  it('says which port is taken when the edge cannot have its own', async () => {
    await using world = await meshWorld();
    const holder = createServer();
    await new Promise<void>((resolve) => {
      holder.listen(0, '127.0.0.1', resolve);
    });
    const { port } = holder.address() as { port: number };
    const error = await world.start({ port }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    holder.close();
    expect(JSON.stringify(error)).toContain('MESH_ERR_EDGE_LISTEN');
    expect(JSON.stringify(error)).toContain(String(port));
  });
});
