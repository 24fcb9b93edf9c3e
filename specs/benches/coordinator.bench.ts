/**
 * Attested handshakes against bare mutual TLS of the same keys, and certificates against the
 * signature that each of them costs. Both ends run in this process, so a figure is of two halves.
 */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import nacl from 'tweetnacl';
import { systemClock } from '../../runtime/adapters/clock.system.ts';
import { createProcessIssuer } from '../../runtime/attest/process-evidence.ts';
import { createValidator } from '../../runtime/attest/validator.ts';
import { attestedConnect } from '../../runtime/attested-tls/connect.ts';
import { listenTls } from '../../runtime/attested-tls/listener.ts';
import type { TlsListener } from '../../runtime/attested-tls/listener.ts';
import { createTlsIdentity } from '../../runtime/attested-tls/tls-identity.ts';
import { secureContextOf, tlsOptionsOf } from '../../runtime/attested-tls/tls-options.ts';
import { nodeKeyring } from '../../runtime/coordinator/keyring.ts';
import { connectMeshApi } from '../../runtime/rpc/client.ts';
import { createRpcServer } from '../../runtime/rpc/server.ts';
import { createAuthorities } from '../../runtime/x509/certificate-authority.ts';
import { secondsOf } from './harness.ts';
import type { BenchPlan } from './harness.ts';

const HANDSHAKES = 200;
const AT_ONCE = 8;
const SIGNATURES = 1000;
const SPORE = '11'.repeat(32);

const nodeKey = nacl.sign.keyPair();
const facts = { spore: SPORE, binary: '22'.repeat(32), instance: 'bench' };
const issuer = createProcessIssuer(nodeKey, facts, systemClock);
const validator = createValidator(
  {
    hardware: 'optional',
    process: { nodeKeys: [Buffer.from(nodeKey.publicKey).toString('hex')] },
  },
  { clock: systemClock },
);
const serverIdentity = createTlsIdentity(Date.now());
const clientIdentity = createTlsIdentity(Date.now());

export async function bench(): Promise<BenchPlan> {
  const meshKey = nodeKeyring.createMeshKey();
  const authority = createAuthorities(systemClock).create(nodeKeyring.createSeed(), meshKey);
  const publicKey = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({
    type: 'spki',
    format: 'der',
  });
  const leafFor = (key: Uint8Array) =>
    authority.issue({
      publicKey: key,
      commonName: 'hello',
      san: ['hello.mesh.internal'],
      spiffeId: 'spiffe://mesh.internal/workload/hello',
    });
  const signingKey = createPrivateKey({
    key: Buffer.from(meshKey.reveal()),
    format: 'der',
    type: 'pkcs8',
  });
  const body = Buffer.alloc(500, 1);
  const coordinator = await serveCertificates(authority.rootCertificate, (key) => [
    leafFor(key).certificate,
    authority.intermediateCertificate,
  ]);
  const bare = await serveBare();
  const { host, port } = coordinator.listener;
  const options = { host, port, identity: clientIdentity, issuer, validator, clock: systemClock };
  const bareHandshakes = (): Promise<number> => rateOf(() => bareHandshake(bare.port));
  return {
    rows: [
      {
        metric: 'attested handshakes, process evidence both ways',
        unit: '1/s',
        better: 'more',
        ours: () => rateOf(async () => (await attestedConnect(options)).socket.destroy()),
        peers: { 'bare mTLS': bareHandshakes },
      },
      {
        metric: 'NewMeshCert: connect, attest, one certificate, close',
        unit: '1/s',
        better: 'more',
        ours: () =>
          rateOf(async () => {
            await using client = await connectMeshApi(options);
            await client.meshApi.newMeshCert({});
          }),
        peers: { 'bare mTLS': bareHandshakes },
      },
      {
        metric: 'certificates issued',
        unit: '1/s',
        better: 'more',
        ours: () => loopOf(() => leafFor(publicKey)),
        peers: { 'raw P-384 signatures': () => loopOf(() => sign('sha384', body, signingKey)) },
      },
    ],
    dispose: async () => {
      await coordinator.listener.close();
      bare.close();
    },
  };
}

async function serveCertificates(
  rootCaCert: Uint8Array,
  chainFor: (publicKey: Uint8Array) => Uint8Array[],
): Promise<{ readonly listener: TlsListener }> {
  const copy = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
  const unused = async (): Promise<never> => Promise.reject(new Error('Nobody calls it.'));
  const server = createRpcServer({
    clock: systemClock,
    meshApi: {
      newMeshCert: async (_, { peer }) => ({
        rootCaCert: copy(rootCaCert),
        certChain: chainFor(peer.attested.publicKey).map(copy),
      }),
      recover: unused,
    },
    userApi: {
      setManifest: unused,
      confirmSeedShares: unused,
      getManifests: unused,
      recover: unused,
      getStatus: unused,
    },
  });
  const listener = await listenTls({
    host: '127.0.0.1',
    port: 0,
    identity: serverIdentity,
    issuer,
    clock: systemClock,
    onConnection: (connection) => {
      connection.attest(validator).then(
        (attested) => server.serve(connection.socket, { connection: connection.id, attested }),
        // A client that has what it wanted may be gone before the server has noticed.
        () => undefined,
      );
    },
  });
  return { listener };
}

/** The same keys, versions and certificates; a byte from the server ends each handshake. */
async function serveBare(): Promise<{ readonly port: number; close(): void }> {
  const server = createServer(
    {
      ...tlsOptionsOf(serverIdentity),
      requestCert: true,
      rejectUnauthorized: false,
      noDelay: true,
    },
    (socket) => socket.on('error', () => undefined).write('.'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

async function bareHandshake(port: number): Promise<void> {
  const socket = connect({
    secureContext: secureContextOf(clientIdentity),
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
  });
  socket.setNoDelay(true);
  await once(socket, 'data');
  socket.destroy();
}

async function rateOf(work: () => Promise<unknown>): Promise<number> {
  let left = HANDSHAKES;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await work();
  };
  const seconds = await secondsOf(() => Promise.all(Array.from({ length: AT_ONCE }, worker)));
  return HANDSHAKES / seconds;
}

async function loopOf(work: () => unknown): Promise<number> {
  const seconds = await secondsOf(() => {
    for (let at = 0; at < SIGNATURES; at++) work();
  });
  return SIGNATURES / seconds;
}
