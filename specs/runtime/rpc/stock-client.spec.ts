/** A gRPC client that knows nothing of this program but the .proto file. */
import { toBinary, create, fromBinary } from '@bufbuild/protobuf';
import type { DescMethod } from '@bufbuild/protobuf';
import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { coordinatorError } from '../../../machines/coordinator/errors.ts';
import { ErrorDetailSchema } from '../../../runtime/rpc/generated/error-detail.ts';
import { MeshAPI } from '../../../runtime/rpc/generated/mesh-api.ts';
import { UserAPI } from '../../../runtime/rpc/generated/user-api.ts';
import type { UserApiHandlers } from '../../../runtime/rpc/server.ts';
import { createTlsIdentity } from '../../../runtime/attested-tls/tls-identity.ts';
import { rpcWorld } from '../../support/attest/rpc-world.ts';

const identity = createTlsIdentity(Date.now());

function stockClient(port: number): Client & Disposable {
  const root = Buffer.from(identity.certificates);
  // The certificate is pinned and names no host.
  const trust = credentials.createSsl(root, null, null, { checkServerIdentity: () => undefined });
  const client = new Client(`127.0.0.1:${port}`, trust);
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

function call(client: Client, { parent, name, input }: DescMethod, request: Uint8Array) {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  client.makeUnaryRequest(
    `/${parent.typeName}/${name}`,
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => bytes,
    request,
    new Metadata(),
    { deadline: Date.now() + 10_000 },
    (error: ServiceError | null, answer?: Buffer) => {
      if (error) reject(error);
      else resolve(answer ?? Buffer.of());
    },
  );
  expect(input.typeName).not.toBe('');
  return promise;
}

const world = (userApi: Partial<UserApiHandlers> = {}) =>
  rpcWorld({ userApi, listen: { identity } });

describe('UserAPI', () => {
  it('answers a stock gRPC client', async () => {
    await using rpc = await world();
    using client = stockClient(rpc.world.listener.port);
    const { setManifest } = UserAPI.method;
    const request = create(setManifest.input, { manifest: Buffer.from('{"a":1}') });
    const answer = await call(client, setManifest, toBinary(setManifest.input, request));
    const { rootCaCert } = fromBinary(setManifest.output, answer);
    expect(Buffer.from(rootCaCert).toString()).toBe('{"a":1}');
  });

  it('refuses it with a status, and with the code in the details', async () => {
    await using rpc = await world({
      setManifest: async () => {
        throw coordinatorError('MESH_ERR_COORDINATOR_MANIFEST_CONFLICT', 'Setting: lost the race.');
      },
    });
    using client = stockClient(rpc.world.listener.port);
    const error = await call(client, UserAPI.method.setManifest, Buffer.of()).catch(
      (thrown: unknown) => thrown as ServiceError,
    );
    // This client leaves what it takes for reserved percent-encoded, such as the colon.
    const details = expect.stringMatching(/^Setting(:|%3A) lost the race\.$/);
    expect(error).toMatchObject({ code: status.ABORTED, details });
    const [binary] = (error as ServiceError).metadata.get('grpc-status-details-bin');
    expect(String(binary)).toContain('MESH_ERR_COORDINATOR_MANIFEST_CONFLICT');
    expect(String(binary)).toContain(ErrorDetailSchema.typeName);
  });

  it('refuses what is no message of it', async () => {
    await using rpc = await world();
    using client = stockClient(rpc.world.listener.port);
    const garbage = call(client, UserAPI.method.setManifest, Buffer.alloc(64, 0xff));
    await expect(garbage).rejects.toMatchObject({ code: expect.any(Number) });
    await expect(call(client, UserAPI.method.recover, Buffer.of())).resolves.toBeDefined();
  });
});

describe('MeshAPI', () => {
  it('is not served to a client that attests nothing', async () => {
    await using rpc = await world();
    using client = stockClient(rpc.world.listener.port);
    for (const method of MeshAPI.methods) {
      const refused = call(client, method, Buffer.of());
      await expect(refused).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    }
    expect(rpc.refused).toEqual(
      MeshAPI.methods.map(({ name }) => [
        `meshapi.MeshAPI/${name}`,
        expect.objectContaining({ code: 'MESH_ERR_RPC_UNATTESTED' }),
      ]),
    );
  });
});
