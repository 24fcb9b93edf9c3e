/** Canaries in real Coordinators: whatever they log, show, record or keep, no secret is in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COORDINATOR_IDENTITY } from '../../../machines/coordinator/identities.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { readKey } from '../../../runtime/adapters/keys.fs.ts';
import { createProcessIssuer } from '../../../runtime/attest/process-evidence.ts';
import { createValidator } from '../../../runtime/attest/validator.ts';
import { createTlsIdentity } from '../../../runtime/attested-tls/tls-identity.ts';
import { openShare } from '../../../runtime/coordinator/open-share.ts';
import { readOwnerKey } from '../../../runtime/coordinator/owner-keys.ts';
import { createSeedEngine } from '../../../runtime/coordinator/seed-engine.ts';
import type { Coordinator } from '../../../runtime/coordinator/start-coordinator.ts';
import { Secret } from '../../../actors/coordinator/secret.ts';
import { connectMeshApi } from '../../../runtime/rpc/client.ts';
import { createLogger } from '../../../runtime/telemetry/logger.ts';
import { Recorder } from '../../../runtime/web/recorder/recorder.ts';
import {
  found,
  pemBodyOf,
  privatePartIn,
  privatePartOf,
  shown,
  textBelow,
} from '../../support/coordinator/canaries.ts';
import { CoordinatorProcess } from '../../support/coordinator/coordinator-process.ts';
import {
  CoordinatorFarm,
  OWNERS,
  manifestFor,
  meshApiOf,
  setFirst,
  setManifestAs,
  userApiOf,
} from '../../support/coordinator/real-coordinators.ts';
import { mesh } from '../../support/mesh/command.ts';
import { scratch } from '../../support/scratch.ts';

const isKey = (path: string): boolean => path.endsWith('.key');

/** Everything that somebody could see of a Coordinator while it runs. */
function onlooker(seen: unknown[]) {
  const destination = { write: (line: string) => void seen.push(line) };
  const logger = createLogger({ level: 'trace', destination });
  const ends: (() => void)[] = [];
  return {
    logger: logger.line,
    watch: (coordinator: Coordinator) => {
      const { tree } = coordinator;
      const recorder = new Recorder(tree, (...step) => void seen.push(step));
      const stops = [
        tree.inspect((one) => void seen.push(one)),
        tree.onReport((report) => void seen.push(report)),
        coordinator.onStatus((status) => void seen.push(status)),
      ];
      ends.push(() => {
        seen.push(recorder.all(), recorder.machines(), tree.describe(), tree.deadLetters);
        for (const { path } of recorder.all().actors) seen.push(recorder.detailsOf(path));
        recorder.close();
        for (const stop of stops) stop();
      });
    },
    end: () => {
      for (const end of ends.splice(0)) end();
    },
  };
}

/** What a peer is handed over: the only way to the keys, for a spec as for anybody. */
async function handedOver(coordinator: Coordinator, keyFile: string, nodeKeys: readonly string[]) {
  const { host, port } = coordinator;
  const facts = { spore: COORDINATOR_IDENTITY, binary: 'cc'.repeat(32), instance: 'spy' };
  await using client = await connectMeshApi({
    host,
    port,
    identity: createTlsIdentity(Date.now()),
    issuer: createProcessIssuer(readKey(keyFile), facts, systemClock),
    validator: createValidator(manifestFor(nodeKeys).referenceValues, { clock: systemClock }),
    clock: systemClock,
  });
  return await client.meshApi.recover({});
}

describe('Coordinators that run', () => {
  it('show no secret in logs, errors, snapshots, records, views, journals or files', async () => {
    const seen: unknown[] = [];
    await using farm = new CoordinatorFarm();
    const eye = onlooker(seen);
    const start = async (name: string): Promise<Coordinator> => {
      const coordinator = await farm.start({ name, logger: eye.logger });
      eye.watch(coordinator);
      return coordinator;
    };
    const fails = async (work: Promise<unknown>): Promise<void> => {
      await work.then(
        () => expect.unreachable(),
        (error: unknown) => seen.push(error),
      );
    };
    const [one, two] = [await start('one'), await start('two')];
    const { nodeKeys, seed, salt, transition, answer } = await setFirst(one, [two.nodeKey]);
    seen.push(answer);
    await expect.poll(async () => (await two.view()).state).toBe('ready');
    const spy = join(farm.folder, 'two', 'keys', 'node.key');
    const keys = [await handedOver(one, spy, nodeKeys)];
    await using workload = await meshApiOf(one, nodeKeys);
    const { workloadSecret } = await workload.meshApi.newMeshCert({});
    await fails(workload.meshApi.recover({}));
    await fails(setManifestAs(one, { seed: 'no manifest' }, { previous: transition }));
    const next = manifestFor(nodeKeys, { trustDomain: 'next.local' });
    await setManifestAs(one, next, { previous: transition });
    keys.push(await handedOver(one, spy, nodeKeys));
    seen.push(await one.view(), await two.view());
    eye.end();
    await Promise.all([one.stop(), two.stop()]);
    const again = await start('one');
    await expect.poll(async () => (await again.view()).state).toBe('recovering');
    const good = () => ({ seed: seed.reveal().slice(), salt: salt.reveal().slice(), force: true });
    await using owner = await userApiOf(again, OWNERS.seedShare);
    await fails(owner.userApi.recover({ ...good(), salt: new Uint8Array(31) }));
    await fails(owner.userApi.recover({ ...good(), seed: new Uint8Array(64).fill(3) }));
    await owner.userApi.recover(good());
    await expect.poll(async () => (await again.view()).state).toBe('ready');
    keys.push(await handedOver(again, spy, nodeKeys));
    seen.push(await again.view(), await owner.userApi.getStatus({}));
    eye.end();
    const engine = createSeedEngine(seed, new Secret(salt.reveal()));
    const secrets = {
      seed: seed.reveal(),
      salt: salt.reveal(),
      'root key': privatePartIn(engine.rootKey().reveal()),
      'workload secret': workloadSecret ?? new Uint8Array(),
      'seed share owner': privatePartOf(OWNERS.seedKey),
      'workload owner': privatePartOf(OWNERS.workloadKey),
      'node key': readKey(spy).secretKey,
      ...Object.fromEntries(
        keys.map(({ meshCaKey }, at) => [`mesh key ${at}`, privatePartIn(meshCaKey)]),
      ),
    };
    const text = [...seen.map(shown), textBelow(farm.folder, isKey)].join('\n');
    expect(new Set(keys.map(({ meshCaKey }) => shown(meshCaKey))).size).toBe(3);
    expect(seen.length).toBeGreaterThan(200);
    console.log(`${seen.length} things were seen, ${text.length} characters`);
    // The instrument itself: it finds what is not hidden, also in a file.
    expect(found(shown({ seed: secrets.seed }), secrets)).not.toEqual([]);
    expect(found(readFileSync(spy, 'latin1'), secrets)).toEqual([]);
    expect(found(text, secrets)).toEqual([]);
  });
});

describe('mesh coordinator', () => {
  it('shows no secret on the screen, in its arguments or its environment', async () => {
    using folder = scratch();
    const options = { cwd: folder.path, env: { MESH_DEBUG: '1' } };
    const said: string[] = [];
    const call = async (...args: string[]): Promise<number | null> => {
      const { stdout, stderr, exitCode } = await mesh(['coordinator', ...args], options);
      said.push(stdout, stderr);
      return exitCode;
    };
    const at = join(folder.path, '.mesh', 'coordinator');
    expect(await call('init', '--listen', '127.0.0.1:0')).toBe(0);
    const server = new CoordinatorProcess('c', at, '', folder.path);
    await server.start();
    try {
      for (const file of ['cmdline', 'environ'])
        said.push(readFileSync(`/proc/${server.pid}/${file}`, 'latin1'));
      const manifest = join(at, 'manifest.json');
      expect(await call('set-manifest', manifest, '--json')).toBe(0);
      await server.end('SIGKILL');
      await server.start();
      expect(await call('recover', '--share', manifest, '--json')).toBe(4);
      expect(await call('recover')).toBe(0);
      expect(await call('recover', '--json')).toBe(6);
      expect(await call('verify', '--json')).toBe(0);
    } finally {
      await server.end('SIGTERM');
    }
    said.push(server.allText);
    const keyPath = (name: string): string => join(at, 'keys', `${name}.key`);
    const owner = readOwnerKey(keyPath('seed-share-owner'), 'seed-share-owner');
    const share = textBelow(join(at, 'seed-shares'), (path) => !path.endsWith('.share'));
    const { seed, salt } = openShare(Buffer.from(share, 'latin1'), owner);
    const secrets = {
      seed: seed.reveal(),
      salt: salt.reveal(),
      'seed share owner': privatePartOf(owner),
      'workload owner': privatePartOf(readOwnerKey(keyPath('workload-owner'), 'workload-owner')),
      'node key': readKey(keyPath('node')).secretKey,
    };
    const text = `${said.join('\n')}\n${textBelow(at, isKey)}`;
    expect(found(text, secrets)).toEqual([]);
    for (const name of ['node', 'workload-owner', 'seed-share-owner'])
      expect(text).not.toContain(pemBodyOf(readFileSync(keyPath(name), 'utf8')));
  });
});
