/** Mesh certificates of real instances, from a real Coordinator, seen by OpenSSL and by two languages. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { certificatesPath } from '../../../actors/workload/paths.ts';
import { connectControl } from '../../../runtime/control/client.ts';
import type { CertificateView } from '../../../runtime/control/mesh-control.ts';
import { homePaths } from '../../../runtime/home.ts';
import type { Mesh } from '../../../runtime/mesh.ts';
import {
  TLS_SERVICE_PY,
  certifiedWorld,
  tlsSample,
  workloadOf,
} from '../../support/mesh/certified-world.ts';
import { keysFoundIn } from '../../support/mesh/find-keys.ts';
import { startMeshProcess } from '../../support/mesh/process.ts';
import { steadyLoad } from '../../support/mesh/steady-load.ts';
import { deploy, deploymentOf, until } from '../../support/mesh/world.ts';

type Asked = Pick<Mesh, 'certificates' | 'ps'>;

const text = async (mesh: Pick<Mesh, 'edgeUrl'>, path: string): Promise<string> =>
  (await (await fetch(`${mesh.edgeUrl}${path}`)).text()).trim();

const identityFolder = (home: string, instance: string): string =>
  join(homePaths(home).instances, instance, 'identity');

const instanceOf = async (mesh: Asked, app = 'hello'): Promise<string> =>
  (await mesh.ps()).find((row) => row.app === app)?.instance ?? '';

const certificateOf = async (mesh: Asked, app: string | null): Promise<CertificateView> => {
  const found = (await mesh.certificates()).find((row) => row.app === app);
  if (found === undefined) throw new Error(`${app} has no certificate.`);
  return found;
};

/** Private, whole, named in the environment of the process, and certificates to OpenSSL. */
async function expectSoundFiles(folder: string, mesh: Mesh): Promise<void> {
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  const names = readdirSync(folder).toSorted();
  expect(names).toEqual(['ca.pem', 'cert.pem', 'key.pem', 'secret']);
  for (const name of names) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  const environment = JSON.parse(await text(mesh, '/hello/environment')) as object;
  expect(environment).toMatchObject({
    MESH_CERT_FILE: join(folder, 'cert.pem'),
    MESH_KEY_FILE: join(folder, 'key.pem'),
    MESH_CA_FILE: join(folder, 'ca.pem'),
    MESH_WORKLOAD_SECRET_FILE: join(folder, 'secret'),
  });
  expect(statSync(join(folder, 'secret')).size).toBe(32);
  for (const purpose of ['sslserver', 'sslclient']) {
    const args = ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', join(folder, 'ca.pem')];
    const { stdout } = await execa('openssl', [...args, join(folder, 'cert.pem')]);
    expect(stdout).toContain(': OK');
  }
}

/** Another incarnation of the actor goes on with the files. */
async function expectToSurvive(mesh: Mesh): Promise<void> {
  const instance = await instanceOf(mesh);
  const { serialNumber } = await certificateOf(mesh, 'hello');
  await mesh.tree.terminateChild(certificatesPath('node-1'), instance);
  await mesh.tree.restartChild(certificatesPath('node-1'), instance);
  await until('it is held again', async () => (await mesh.ps())[0]?.identity?.state === 'valid');
  expect((await certificateOf(mesh, 'hello')).serialNumber).toBe(serialNumber);
}

const python = (version: string) => tlsSample(version, { name: 'snake', binary: TLS_SERVICE_PY });
const PYTHON = { command: 'python3', args: ['{binary}'] };

describe('instance certificates', () => {
  it('lie in private files, satisfy OpenSSL, and carry requests by mutual TLS in two languages', async () => {
    await using world = await certifiedWorld();
    const hello = await world.spore(tlsSample('1.0.0'));
    const snake = await world.spore({
      ...python('1.0.0'),
      manifest: { ...python('1.0.0').manifest, runtime: PYTHON },
    });
    await world.certify([workloadOf(hello), workloadOf(snake, 'snake')]);
    const told: unknown[] = [];
    const mesh = await world.start({
      coordinator: world.link,
      nodes: 1,
      logger: (line) => told.push(line),
    });
    mesh.tree.inspect((entry) => told.push(entry));
    const one = { min: 1, max: 1 };
    expect((await deploy(mesh, hello, one)).deployment.reason).toBeNull();
    expect((await deploy(mesh, snake, { app: 'snake', ...one })).deployment.reason).toBeNull();
    expect(await text(mesh, '/hello/hello')).toContain('hello over TLS (pid');
    expect(await text(mesh, '/hello/peer')).toContain('URI:spiffe://mesh.local/edge/edge');
    expect(await text(mesh, '/snake/hello')).toContain('from Python');
    expect(await text(mesh, '/snake/peer')).toBe('spiffe://mesh.local/edge/edge');

    await expectSoundFiles(identityFolder(world.home, await instanceOf(mesh)), mesh);
    expect((await mesh.ps())[0]?.identity).toMatchObject({
      spiffeId: 'spiffe://mesh.local/workload/hello',
      state: 'valid',
    });
    await expectToSurvive(mesh);

    // The next manifest has another mesh key; what was issued before goes on, and meets what comes.
    const next = await world.spore(tlsSample('1.0.1'));
    await world.certify([workloadOf(next), workloadOf(snake, 'snake')]);
    expect(await text(mesh, '/snake/hello')).toContain('from Python');
    expect((await deploy(mesh, next, one)).deployment.reason).toBeNull();
    expect(await text(mesh, '/hello/hello')).toContain('hello over TLS');

    expect(await keysFoundIn(world.home, mesh, told)).toEqual([]);
    const [, , planted = ''] = readFileSync(
      join(world.home, 'edge/identity/key.pem'),
      'utf8',
    ).split('\n');
    expect(await keysFoundIn(world.home, mesh, [{ planted }])).toEqual([
      expect.stringMatching(/^the PEM of .* in entry 0$/),
    ]);
    await mesh.stopApp('hello');
    await until('the files are gone', () =>
      readdirSync(homePaths(world.home).instances).every((name) => !name.startsWith('hello-')),
    );
  }, 60_000);

  it('are renewed at half life under load without a failed request, and bear a long absence', async () => {
    await using world = await certifiedWorld({ leafLifetimeMs: 4_000 });
    const health = { startTimeoutMs: 10_000, warmupMs: 20, intervalMs: 200, failuresMax: 2 };
    const digest = await world.spore(tlsSample('1.0.0', { manifest: { health } }));
    await world.certify([workloadOf(digest)]);
    const mesh = await world.start({ coordinator: world.link, nodes: 1 });
    await deploy(mesh, digest, { min: 1, max: 1 });
    const before = await certificateOf(mesh, 'hello');
    const load = steadyLoad(`${mesh.edgeUrl}/hello/hello`, 100);
    await until('two renewals', async () => {
      const [edge, own] = await Promise.all([
        certificateOf(mesh, null),
        certificateOf(mesh, 'hello'),
      ]);
      return edge.renewals >= 2 && own.renewals >= 2;
    });
    const { sent, failures } = await load.stop();
    const after = await certificateOf(mesh, 'hello');
    console.log(`${sent} requests over ${after.renewals} renewals, ${failures.length} failed`);
    expect(failures).toEqual([]);
    expect(after.serialNumber).not.toBe(before.serialNumber);

    // Nobody renews any more: that is shown, and no reason to end what runs.
    const pid = await text(mesh, '/hello/hello');
    await world.coordinator.stop();
    await until(
      'a failed renewal',
      async () => (await certificateOf(mesh, 'hello')).failure !== null,
    );
    await until('the end', async () => (await certificateOf(mesh, 'hello')).state === 'expired');
    expect((await mesh.ps())[0]?.identity?.state).toBe('expired');
    await until('no request gets through', async () =>
      (await text(mesh, '/hello/hello')).includes('MESH_ERR_EDGE_UPSTREAM_IDENTITY'),
    );
    await world.revive();
    await until('it serves again', async () => (await text(mesh, '/hello/hello')) === pid);
    expect((await certificateOf(mesh, 'hello')).failure).toBeNull();
  }, 60_000);

  it('outlive a killed runtime with their instances, and are renewed by the next', async () => {
    await using world = await certifiedWorld({ leafLifetimeMs: 10_000 });
    const digest = await world.spore(tlsSample('1.0.0'));
    await world.certify([workloadOf(digest)]);
    const first = await startMeshProcess(world.home, 1, world.link);
    const plan = await first.control.run({ app: 'hello', digest, min: 1, max: 1 });
    await deploymentOf(first.control, 'hello', plan.generation);
    const pid = await text(first, '/hello/hello');
    const file = join(identityFolder(world.home, await instanceOf(first.control)), 'cert.pem');
    const certificate = readFileSync(file, 'utf8');
    const { serialNumber, renewAt } = await certificateOf(first.control, 'hello');
    await first.kill();
    await using second = await startMeshProcess(world.home, 1, world.link);
    const control = connectControl(world.home);
    await until('it serves again', async () => (await text(second, '/hello/hello')) === pid);
    await until('it is adopted', async () =>
      (await control.certificates()).some(({ app, spiffeId }) => app && spiffeId),
    );
    const found = await certificateOf(control, 'hello');
    // A busy machine may have come so late that it is renewed already.
    if (Date.now() < Date.parse(renewAt ?? '')) expect(found.serialNumber).toBe(serialNumber);
    await until('another one', () => readFileSync(file, 'utf8') !== certificate);
    expect((await certificateOf(control, 'hello')).spiffeId).toBe(found.spiffeId);
    expect(await text(second, '/hello/hello')).toBe(pid);
  }, 60_000);

  it('are why a deployment fails: refused, of another name, or required where nobody gives any', async () => {
    await using world = await certifiedWorld();
    const refused = await world.spore(tlsSample('1.0.0'));
    const named = await world.spore(tlsSample('1.0.1', { name: 'other' }));
    const optional = await world.spore({ version: '1.0.2' });
    await world.certify([workloadOf(named, 'other')]);
    const mesh = await world.start({ coordinator: world.link, nodes: 1 });
    const one = { min: 1, max: 1 };
    const { deployment } = await deploy(mesh, refused, one);
    expect(deployment.reason).toMatchObject({
      code: 'MESH_ERR_CERTIFICATE_REFUSED',
      message: expect.stringContaining('MESH_ERR_COORDINATOR_NOT_AUTHORISED'),
    });
    const plan = await mesh.run({ app: 'hello', digest: named, ...one, anyName: true });
    const { deployment: misnamed } = await deploymentOf(mesh, 'hello', plan.generation);
    expect(misnamed.reason?.code).toBe('MESH_ERR_CERTIFICATE_NAME');
    // It may do without, is told nothing of files, and serves in the clear.
    expect((await deploy(mesh, optional, one)).deployment.outcome).toBe('succeeded');
    expect(await text(mesh, '/hello/environment')).not.toContain('MESH_CERT_FILE');
    await mesh.stop();
    const alone = await world.start({ nodes: 1 });
    await expect(alone.run({ app: 'hello', digest: refused, ...one })).rejects.toMatchObject({
      code: 'MESH_ERR_CERTIFICATE_NO_COORDINATOR',
    });
  }, 60_000);
});
