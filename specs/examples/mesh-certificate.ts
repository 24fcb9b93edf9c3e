import { X509Certificate, createHash, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  connectMeshApi,
  createProcessIssuer,
  createTlsIdentity,
  createValidator,
} from 'mycelium-mesh';

const [port, spore = ''] = process.argv.slice(2);
const { referenceValues } = JSON.parse(readFileSync('manifest.json', 'utf8'));
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const binary = createHash('sha256').update(readFileSync(import.meta.filename)).digest('hex');

// Both ends prove themselves before a request is sent: this one with the key of its node, whose word
// on the spore counts because the manifest names it; the Coordinator with a key that it names, too.
await using client = await connectMeshApi({
  host: '127.0.0.1',
  port: Number(port),
  identity: await createTlsIdentity(privateKey),
  issuer: await createProcessIssuer('node.key', { spore, binary, instance: 'hello-1' }),
  validator: await createValidator(referenceValues),
});

// Leaf and intermediate, for the TLS key of this connection; 24 hours, to be renewed at half of it.
const { certChain, rootCaCert } = await client.meshApi.newMeshCert({});
const [leaf] = certChain.map((der) => new X509Certificate(der));
console.log(leaf?.subjectAltName, leaf?.checkPrivateKey(privateKey));
console.log(new X509Certificate(rootCaCert).subject);
