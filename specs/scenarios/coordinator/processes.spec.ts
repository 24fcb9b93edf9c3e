/** Coordinators as real processes on one history: recovery from peers, kills, and foreign clients. */
import { execFile } from 'node:child_process';
import { X509Certificate, createHash, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:tls';
import { promisify } from 'node:util';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { createTlsIdentity, pemOf } from '../../../runtime/attested-tls/tls-identity.ts';
import { UserAPI } from '../../../runtime/rpc/generated/user-api.ts';
import { verifyLeaf } from '../../../runtime/x509/certificate-profile.ts';
import { programOnPath } from '../../benches/harness.ts';
import { CoordinatorProcesses } from '../../support/coordinator/coordinator-process.ts';
import type { CoordinatorProcess } from '../../support/coordinator/coordinator-process.ts';
import {
  OWNERS,
  manifestFor,
  meshApiOf,
  setManifestAs,
  userApiOf,
} from '../../support/coordinator/real-coordinators.ts';
import { openShare } from '../../../runtime/coordinator/open-share.ts';
import { until } from '../../support/until.ts';

const KILLS = 6;
/** The Recover flow of the mesh API, message by message, on the side that asks. */
const RECOVER_FLOW = [
  'reset',
  'unverified',
  'attested',
  'authorised',
  'requested',
  'answered',
  'engine',
  'reread',
  'verified',
  'swapped',
];
const run = promisify(execFile);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const keyOf = (der: Uint8Array): string =>
  new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' }).toString('hex');

async function historyOf(member: CoordinatorProcess) {
  await using client = await userApiOf(member);
  const { transitionHashes, rootCaCert, meshCaCert } = await client.userApi.getManifests({});
  return { chain: transitionHashes.map(hex), root: keyOf(rootCaCert), mesh: keyOf(meshCaCert) };
}

async function leafOf(member: CoordinatorProcess, nodeKeys: readonly string[]) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const identity = createTlsIdentity(Date.now(), privateKey);
  await using client = await meshApiOf(member, nodeKeys, { identity });
  return { privateKey, ...(await client.meshApi.newMeshCert({})) };
}

const other = (text: string, nodeKeys: readonly string[]) =>
  manifestFor(nodeKeys, { trustDomain: `${text}.local` });

describe.each(['sqlite', 'fs'] as const)('two Coordinators on one history in %s', (store) => {
  it('hand the state over, and are one mesh before and after', async () => {
    await using all = await CoordinatorProcesses.start(2, store);
    const [first, second] = all.members as [CoordinatorProcess, CoordinatorProcess];
    expect([first.state, second.state]).toEqual(['empty', 'empty']);
    await setManifestAs(first, manifestFor(all.nodeKeys));
    const before = await leafOf(first, all.nodeKeys);
    await second.says('ready: generation 1');
    // What it had to go through, in this order.
    expect(second.text).toMatch(/empty: [^]*recovering: [^]*ready: generation 1/);
    expect(first.text).not.toContain('recovering');
    expect(second.recoverSteps).toEqual(RECOVER_FLOW);
    expect(first.recoverSteps).toEqual([
      'serving.requested',
      'serving.authorised',
      'serving.answered',
    ]);
    const [one, two] = [await historyOf(first), await historyOf(second)];
    expect(two).toEqual(one);
    // The mesh key came along: what either issues, verifies at the other.
    const after = await leafOf(second, all.nodeKeys);
    for (const [leaf, anchor] of [
      [before, after],
      [after, before],
    ] as const)
      for (const kind of ['mesh', 'root'] as const) {
        const certificate = kind === 'mesh' ? anchor.meshCaCert : anchor.rootCaCert;
        const verified = verifyLeaf(leaf.certChain, { certificate, kind }, Date.now());
        expect(verified.spiffeId).toBe('spiffe://mesh.local/workload/hello');
      }
    expect(after.workloadSecret).toEqual(before.workloadSecret);
    await first.end('SIGKILL');
    await first.start();
    await first.says('ready: generation 1');
    expect(await historyOf(first)).toEqual(one);
    expect(await first.end('SIGTERM')).toBe(0);
  });
});

describe('three Coordinators', () => {
  it('bring the one that lags to the newest state, past a peer that is behind itself', async () => {
    await using all = await CoordinatorProcesses.start(3);
    const [first, second, third] = all.members as [
      CoordinatorProcess,
      CoordinatorProcess,
      CoordinatorProcess,
    ];
    const { transitionHash } = await setManifestAs(first, manifestFor(all.nodeKeys));
    await Promise.all(all.members.map((one) => one.says('ready: generation 1')));
    third.signal('SIGSTOP');
    const previous = hex(transitionHash);
    const next = await setManifestAs(first, other('next', all.nodeKeys), { previous });
    await second.says('ready: generation 2');
    // The one that lags wakes up, sees that it is stale, and refuses until it has recovered.
    third.signal('SIGCONT');
    await third.says('ready: generation 2');
    expect(third.text).toMatch(/ready: generation 1[^]*stale: [^]*ready: generation 2/);
    const histories = await Promise.all(all.members.map(historyOf));
    expect(new Set(histories.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(histories[0]?.chain).toEqual([previous, hex(next.transitionHash)]);
  });

  it(`lose no acknowledged manifest over ${KILLS} kills at random moments`, async () => {
    await using all = await CoordinatorProcesses.start(3);
    const [begin] = all.members as [CoordinatorProcess];
    const first = await setManifestAs(begin, manifestFor(all.nodeKeys));
    const share = openShare(first.seedShares[0]?.ciphertext ?? new Uint8Array(), OWNERS.seedKey);
    const acknowledged = [hex(first.transitionHash)];
    await Promise.all(all.members.map((one) => one.says('ready: generation 1')));
    const tally = { kills: 0, sets: 0, refused: 0, owners: 0 };
    const isOver = { value: false };
    const setting = keepSetting(all, acknowledged, tally, isOver);
    for (; tally.kills < KILLS; tally.kills++) {
      const victim = all.members[tally.kills % all.members.length] as CoordinatorProcess;
      await victim.killWithin(250);
      await victim.start();
      await serving(all, share, tally);
    }
    isOver.value = true;
    await setting;
    await serving(all, share, tally);
    await until(() => all.members.every(({ state }) => state === 'ready'), 'all to be ready');
    const histories = await Promise.all(all.members.map(historyOf));
    expect(new Set(histories.map((one) => JSON.stringify(one))).size).toBe(1);
    const chain = histories[0]?.chain ?? [];
    expect(chain.filter((one) => acknowledged.includes(one))).toEqual(acknowledged);
    console.log(
      `${tally.kills} kills: ${tally.sets} manifests set, ${tally.refused} refused, ` +
        `${tally.owners} recoveries by the owner, ${chain.length} in the history`,
    );
    expect(tally.sets).toBeGreaterThan(0);
  });
});

type Tally = { kills: number; sets: number; refused: number; owners: number };

/** What a setter meets while the others are killed; anything else is a defect. */
const EXPECTED =
  /^MESH_ERR_(COORDINATOR_(NEEDS_RECOVERY|MANIFEST_CONFLICT|STORE_UNAVAILABLE|NO_MANIFEST)|RPC_UNAVAILABLE|TRANSPORT_)/;

async function keepSetting(
  all: CoordinatorProcesses,
  acknowledged: string[],
  tally: Tally,
  isOver: { value: boolean },
): Promise<void> {
  for (let round = 0; !isOver.value; round++) {
    const member = all.members[round % all.members.length] as CoordinatorProcess;
    try {
      const { chain } = await historyOf(member);
      const manifest = other(`m${String(round)}`, all.nodeKeys);
      const answer = await setManifestAs(member, manifest, { previous: chain.at(-1) ?? '' });
      acknowledged.push(hex(answer.transitionHash));
      tally.sets++;
    } catch (error) {
      if (!EXPECTED.test(codeOf(error) ?? '')) throw error;
      tally.refused++;
    }
  }
}

/** Patience with peers, before the owner of the seed share steps in. */
const PATIENCE_MS = 1_500;

/**
 * Waits until somebody serves. The mesh key of a manifest that was just set is with its setter alone,
 * until a peer has recovered it: killed in between, only the owner can bring the mesh back.
 */
async function serving(
  all: CoordinatorProcesses,
  { seed, salt }: ReturnType<typeof openShare>,
  tally: Tally,
): Promise<void> {
  if (await all.servesWithin(PATIENCE_MS)) return;
  const [first] = all.members as [CoordinatorProcess];
  await using client = await userApiOf(first, OWNERS.seedShare);
  const request = { seed: seed.reveal().slice(), salt: salt.reveal().slice(), force: true };
  await client.userApi.recover(request);
  tally.owners++;
}

describe('clients that know nothing of this program', () => {
  it('read the history with a stock gRPC client, by the root of the mesh', async () => {
    await using all = await CoordinatorProcesses.start(1);
    const [one] = all.members as [CoordinatorProcess];
    const { rootCaCert, transitionHash } = await setManifestAs(one, manifestFor(all.nodeKeys));
    const trust = credentials.createSsl(Buffer.from(pemOf(rootCaCert)));
    const client = new Client(`127.0.0.1:${one.port}`, trust);
    const { getManifests } = UserAPI.method;
    const answer = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(
        '/userapi.UserAPI/GetManifests',
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => bytes,
        toBinary(getManifests.input, create(getManifests.input)),
        new Metadata(),
        { deadline: Date.now() + 10_000 },
        (error, bytes) => (error ? reject(error) : resolve(bytes ?? Buffer.of())),
      );
    });
    client.close();
    const { manifests, transitionHashes } = fromBinary(getManifests.output, answer);
    expect(transitionHashes.map(hex)).toEqual([hex(transitionHash)]);
    const digest = createHash('sha256').update(manifests[0] ?? Buffer.of());
    const transition = createHash('sha256').update(
      Buffer.concat([digest.digest(), Buffer.alloc(32)]),
    );
    expect(transition.digest('hex')).toBe(hex(transitionHash));
  });

  it.skipIf(programOnPath('openssl') === undefined)(
    'verify a leaf with openssl, on its own and in a handshake',
    async () => {
      await using all = await CoordinatorProcesses.start(1);
      const [one] = all.members as [CoordinatorProcess];
      await setManifestAs(one, manifestFor(all.nodeKeys));
      const leaf = await leafOf(one, all.nodeKeys);
      const file = (name: string, der: Uint8Array): string => {
        writeFileSync(all.file(name), pemOf(der));
        return all.file(name);
      };
      const [der = Buffer.of(), intermediate = Buffer.of()] = leaf.certChain;
      const root = file('root.pem', leaf.rootCaCert);
      const chain = ['-untrusted', file('mesh.pem', intermediate), file('leaf.pem', der)];
      const strict = ['verify', '-x509_strict', '-purpose', 'sslserver'];
      const byRoot = await run('openssl', [...strict, '-CAfile', root, ...chain]);
      expect(byRoot.stdout).toMatch(/leaf\.pem: OK/);
      const anchor = file('mesh-ca.pem', leaf.meshCaCert);
      const byMesh = await run('openssl', [...strict, '-CAfile', anchor, all.file('leaf.pem')]);
      expect(byMesh.stdout).toMatch(/leaf\.pem: OK/);
      const server = createServer({
        key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }),
        cert: leaf.certChain.map(pemOf).join(''),
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      const client = [
        `-connect 127.0.0.1:${port} -x509_strict -brief -verify_return_error`,
        '-verify_hostname hello.mesh.local -CAfile',
      ];
      const talking = run('openssl', ['s_client', ...client.join(' ').split(' '), root]);
      talking.child.stdin?.end();
      const { stdout, stderr } = await talking;
      expect(`${stdout}${stderr}`).toMatch(/Verification: OK/);
      server.close();
    },
  );
});
