import { X509Certificate, createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  COORDINATOR_IDENTITY,
  connectMeshApi,
  connectUserApi,
  createProcessIssuer,
  createTlsIdentity,
  createValidator,
  startCoordinator,
} from 'mycelium-mesh';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const SPORE = sha256(Buffer.from('the file hello.spore'));

await using coordinator = await startCoordinator({ folder: 'coordinator' });
const { host, port, nodeKey } = coordinator;

// One owner may set manifests, one may bring the Coordinator back with a share of its seed.
const { privateKey: ownerKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const { publicKey: shareKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
const identity = await createTlsIdentity(ownerKey);
const manifest = {
  kind: 'MeshManifest',
  version: 1,
  trustDomain: 'mesh.local',
  policies: {
    [COORDINATOR_IDENTITY]: { name: 'c', role: 'coordinator', san: ['c'], nodeKeys: [nodeKey] },
    [SPORE]: { name: 'hello', role: 'workload', san: ['hello.mesh.local'] },
  },
  workloadOwnerKeyDigests: [sha256(identity.publicKey)],
  seedShareOwnerKeys: [shareKey.export({ type: 'spki', format: 'der' }).toString('base64')],
  referenceValues: { process: { nodeKeys: [nodeKey] }, hardware: 'optional' as const },
};

// The Coordinator proves to be one that the manifest names, before it is given it.
const validator = await createValidator(manifest.referenceValues);
await using owner = await connectUserApi({ host, port, identity });
await owner.attest(validator);
await owner.userApi.setManifest({
  manifest: Buffer.from(JSON.stringify(manifest)),
  idempotencyKey: randomBytes(16).toString('hex'),
});

// A workload proves by its node's key which spore it is; here both run on one node.
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const facts = { spore: SPORE, binary: sha256(Buffer.from('hello')), instance: 'hello-1' };
await using workload = await connectMeshApi({
  host,
  port,
  identity: await createTlsIdentity(privateKey),
  issuer: await createProcessIssuer('coordinator/keys/node.key', facts),
  validator,
});

// Leaf and intermediate, for the TLS key of this connection: 24 hours, to be renewed at half of it.
const { certChain, rootCaCert } = await workload.meshApi.newMeshCert({});
const [leaf] = certChain.map((der) => new X509Certificate(der));
console.log(leaf?.subjectAltName, leaf?.checkPrivateKey(privateKey));
console.log(new X509Certificate(rootCaCert).subject);
