/** Mesh certificates of real instances, from a real Coordinator, seen by OpenSSL and by two languages. */
import { createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { connectControl } from '../../runtime/control/client.ts';
import type { CertificateView } from '../../runtime/control/mesh-control.ts';
import { homePaths } from '../../runtime/home.ts';
import type { Mesh } from '../../runtime/mesh.ts';
import {
  TLS_SERVICE_PY,
  certifiedWorld,
  tlsSample,
  workloadOf,
} from '../support/mesh/certified-world.ts';
import { startMeshProcess } from '../support/mesh/process.ts';
import { steadyLoad } from '../support/mesh/steady-load.ts';
import { deploy, deploymentOf, until } from '../support/mesh/world.ts';

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

/** Of a machine's snapshot what belongs to it alone; the machine itself is code. */
const dataOf = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'machine' in value && 'context' in value
    ? { context: value.context }
    : value;

/** Private keys and secrets are in their own files, and nowhere else that anybody could look at. */
async function expectNoKeys(home: string, mesh: Mesh, told: readonly unknown[]): Promise<void> {
  const { instances } = homePaths(home);
  const canaries = new Map<string, string>();
  const note = (name: string, bytes: Buffer): void => {
    for (const form of ['base64', 'hex', 'latin1'] as const)
      canaries.set(bytes.toString(form), `${name} as ${form}`);
  };
  for (const folder of [
    join(home, 'edge'),
    ...readdirSync(instances).map((id) => join(instances, id)),
  ]) {
    const identity = join(folder, 'identity');
    const key = createPrivateKey(readFileSync(join(identity, 'key.pem')));
    const { d = '' } = key.export({ format: 'jwk' });
    note(`the key of ${folder}`, Buffer.from(d, 'base64url'));
    // A line of the PEM, as a log would have it.
    const [line = ''] = readFileSync(join(identity, 'key.pem'), 'latin1').split('\n').slice(2);
    canaries.set(line, `the PEM of ${folder}`);
    if (existsSync(join(identity, 'secret')))
      note(`the secret of ${folder}`, readFileSync(join(identity, 'secret')));
  }
  const { d: nodeKey = '' } = createPrivateKey(
    readFileSync(join(homePaths(home).keys, 'node.key')),
  ).export({ format: 'jwk' });
  note('the node key', Buffer.from(nodeKey, 'base64url'));

  const places = new Map<string, string>();
  for (const file of readdirSync(home, { recursive: true, withFileTypes: true })) {
    const path = join(file.parentPath, file.name);
    const isTheirs = /\/identity\/|\/keys\//.test(path);
    if (file.isFile() && !isTheirs) places.set(path, readFileSync(path, 'latin1'));
  }
  for (const { pid, role } of await mesh.ps())
    for (const name of role === 'active' ? ['cmdline', 'environ'] : [])
      places.set(`/proc/${pid}/${name}`, readFileSync(`/proc/${pid}/${name}`, 'latin1'));
  places.set('the tree', JSON.stringify(await mesh.describe()));
  for (const [at, entry] of told.entries())
    places.set(`entry ${at}`, JSON.stringify(entry, dataOf));
  places.set('the certificates', JSON.stringify(await mesh.certificates()));
  places.set('the metrics', await mesh.metrics());
  const found = [...places].flatMap(([place, content]) =>
    [...canaries]
      .filter(([secret]) => content.includes(secret))
      .map(([, name]) => `${name} in ${place}`),
  );
  expect(canaries.size).toBeGreaterThan(10);
  expect(found).toEqual([]);
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

    const folder = identityFolder(world.home, await instanceOf(mesh));
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
      const args = [
        'verify',
        '-x509_strict',
        '-purpose',
        purpose,
        '-CAfile',
        join(folder, 'ca.pem'),
      ];
      const { stdout } = await execa('openssl', [...args, join(folder, 'cert.pem')]);
      expect(stdout).toContain(': OK');
    }
    expect((await mesh.ps())[0]?.identity).toMatchObject({
      spiffeId: 'spiffe://mesh.local/workload/hello',
      state: 'valid',
    });
    // The next manifest has another mesh key; what was issued before goes on, and meets what comes.
    const next = await world.spore(tlsSample('1.0.1'));
    await world.certify([workloadOf(next), workloadOf(snake, 'snake')]);
    expect(await text(mesh, '/snake/hello')).toContain('from Python');
    expect((await deploy(mesh, next, one)).deployment.reason).toBeNull();
    expect(await text(mesh, '/hello/hello')).toContain('hello over TLS');

    await expectNoKeys(world.home, mesh, told);
    await mesh.stopApp('hello');
    await until('the files are gone', () =>
      readdirSync(homePaths(world.home).instances).every((name) => !name.startsWith('hello-')),
    );
  }, 60_000);

  it('are renewed at half life under steady requests, of which none fails', async () => {
    await using world = await certifiedWorld({ leafLifetimeMs: 4_000 });
    const digest = await world.spore(tlsSample('1.0.0'));
    await world.certify([workloadOf(digest)]);
    const mesh = await world.start({ coordinator: world.link, nodes: 1 });
    await deploy(mesh, digest, { min: 1, max: 1 });
    const before = await certificateOf(mesh, 'hello');
    const load = steadyLoad(`${mesh.edgeUrl}/hello/hello`, 100);
    await until('three renewals', async () => {
      const [edge, own] = await Promise.all([
        certificateOf(mesh, null),
        certificateOf(mesh, 'hello'),
      ]);
      return edge.renewals >= 3 && own.renewals >= 3;
    });
    const { sent, failures } = await load.stop();
    const after = await certificateOf(mesh, 'hello');
    console.log(`${sent} requests over ${after.renewals} renewals, ${failures.length} failed`);
    expect(failures).toEqual([]);
    expect(after.serialNumber).not.toBe(before.serialNumber);

    // Nobody renews any more: it is shown, said, and not repaired by closing one's eyes.
    await world.coordinator.stop();
    await until(
      'a failed renewal',
      async () => (await certificateOf(mesh, 'hello')).failure !== null,
    );
    await until('the end', async () => (await certificateOf(mesh, 'hello')).state === 'expired');
    expect((await mesh.ps())[0]?.identity?.state).toBe('expired');
  }, 60_000);

  it('outlive a killed runtime with their instances, and are renewed by the next', async () => {
    await using world = await certifiedWorld({ leafLifetimeMs: 12_000 });
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
