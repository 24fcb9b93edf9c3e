import { statSync } from 'node:fs';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import type { MeshCertConnection } from '../../../actors/coordinator/ports/connection.ts';
import { COORDINATOR_IDENTITY } from '../../../machines/coordinator/identities.ts';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createProcessIssuer } from '../../../runtime/attest/process-evidence.ts';
import { createValidator } from '../../../runtime/attest/validator.ts';
import { createTlsIdentity } from '../../../runtime/attested-tls/tls-identity.ts';
import { askCoordinator } from '../../../runtime/certificates/ask-coordinator.ts';
import { addressesOf, nodeKeyOf } from '../../../runtime/certificates/coordinator-link.ts';
import { checkIssued } from '../../../runtime/certificates/identity-files.ts';
import { listenCoordinator } from '../../../runtime/rpc/coordinator-listener.ts';
import { keyId } from '../../../runtime/spore/signing.ts';
import { createMeshAuthority, newKey } from '../../support/certificates/authority.ts';
import { scratch } from '../../support/scratch.ts';

const { publicKey, secretKey } = nacl.sign.keyPair();
/** Of the node and of the Coordinator at once: who is who is told by what is proved with it. */
const NODE_KEY = { name: 'node', id: keyId(publicKey), publicKey, secretKey };
const KEY_HEX = Buffer.from(publicKey).toString('hex');
const WORKLOAD = 'ab'.repeat(32);
const FACTS = { spore: WORKLOAD, binary: 'cd'.repeat(32), instance: 'hello-1' };
const validator = createValidator(
  { hardware: 'optional', process: { nodeKeys: [KEY_HEX] } },
  { clock: systemClock },
);
const going = new AbortController().signal;
const unused = (): Promise<never> => Promise.reject(new Error('Nobody calls it.'));
const mesh = createMeshAuthority();
const key = newKey();

const { issued } = mesh.issue('workload/hello', key);
const answer = {
  meshCaCertificate: issued.meshAuthority,
  certificateChain: issued.chain,
  rootCaCertificate: issued.root,
};

/** Serves a connection to its end with this answer. */
const give = async (connection: MeshCertConnection): Promise<void> => {
  await connection.attest(validator, going);
  await connection.request(going);
  await connection.reply(answer, going);
};
/** Refuses it with a code, before or after it has proved itself. */
const refuseWith =
  (code: string, isLate = true) =>
  async (connection: MeshCertConnection): Promise<void> => {
    if (isLate) {
      await connection.attest(validator, going);
      await connection.request(going);
    }
    connection.close(code);
  };

/** A front that treats connections so, proving to be a Coordinator unless said otherwise. */
async function front(
  treat: (connection: MeshCertConnection) => Promise<void>,
  identity = COORDINATOR_IDENTITY,
) {
  const listener = await listenCoordinator({
    host: '127.0.0.1',
    port: 0,
    identity: createTlsIdentity(Date.now()),
    issuer: createProcessIssuer(NODE_KEY, { ...FACTS, spore: identity }, systemClock),
    clock: systemClock,
    recover: () => {
      throw new Error('Nobody recovers.');
    },
    onConnection: (connection) => {
      // What the client gets of a failure is what is looked at.
      treat(connection).catch(() => connection.close('MESH_ERR_RPC_INTERNAL'));
    },
    userApi: {
      setManifest: unused,
      confirmSeedShares: unused,
      getManifests: unused,
      recover: unused,
      getStatus: unused,
    },
  });
  return {
    address: { host: listener.host, port: listener.port },
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

type Address = Awaited<ReturnType<typeof front>>['address'];

const ask = (addresses: readonly Address[], keys: readonly string[] = [KEY_HEX]) =>
  askCoordinator(
    {
      addresses: () => Promise.resolve(addresses),
      keys,
      nodeKey: NODE_KEY,
      clock: systemClock,
    },
    FACTS,
    key,
    going,
  );
const outcome = (...given: Parameters<typeof ask>): Promise<unknown> =>
  ask(...given).then(
    () => 'given',
    (error: unknown) => codeOf(error),
  );

describe('askCoordinator', () => {
  it('gives what the Coordinator issued for its key', async () => {
    await using at = await front(give);
    const given = await ask([at.address]);
    expect(checkIssued(given, key, Date.now())).toMatchObject({
      spiffeId: 'spiffe://mesh.local/workload/hello',
    });
    expect(given.secret).toBeUndefined();
  });

  it('asks the next where one does not answer, or is not able to', async () => {
    await using down = await front(refuseWith('MESH_ERR_COORDINATOR_NO_MANIFEST', false));
    await using at = await front(give);
    const nobody = { host: '127.0.0.1', port: 1 };
    expect(await outcome([nobody, down.address, at.address])).toBe('given');
    expect(await outcome([down.address, nobody])).toBe('MESH_ERR_CERTIFICATE_UNAVAILABLE');
    expect(await outcome([])).toBe('MESH_ERR_CERTIFICATE_UNAVAILABLE');
  });

  it('asks once more when the manifest changed while it was asking, and not again', async () => {
    let asked = 0;
    const closing = refuseWith('state_changed');
    await using once = await front((connection) => (asked++ === 0 ? closing : give)(connection));
    expect(await outcome([once.address])).toBe('given');
    asked = 0;
    await using always = await front((connection) => {
      asked++;
      return closing(connection);
    });
    expect(await outcome([always.address])).toBe('MESH_ERR_CERTIFICATE_UNAVAILABLE');
    expect(asked).toBe(2);
  });

  it('asks nobody else for what was refused', async () => {
    let asked = 0;
    await using strict = await front(refuseWith('MESH_ERR_COORDINATOR_NOT_AUTHORISED'));
    await using other = await front(async (connection) => {
      asked++;
      await give(connection);
    });
    const error = await ask([strict.address, other.address]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'MESH_ERR_CERTIFICATE_REFUSED',
      retryable: false,
      details: { code: 'MESH_ERR_COORDINATOR_NOT_AUTHORISED' },
      message: expect.stringContaining('MESH_ERR_COORDINATOR_NOT_AUTHORISED'),
    });
    expect(asked).toBe(0);
  });

  it.each([
    ['has another key', COORDINATOR_IDENTITY, ['ee'.repeat(32)]],
    ['proves to be something else', WORKLOAD, [KEY_HEX]],
  ])('asks nothing of who %s', async (_, identity, keys) => {
    let requests = 0;
    await using at = await front(async (connection) => {
      await connection.attest(validator, going);
      await connection.request(going);
      requests++;
    }, identity);
    expect(await outcome([at.address], keys)).toBe('MESH_ERR_CERTIFICATE_UNTRUSTED');
    expect(requests).toBe(0);
  });
});

describe('addressesOf', () => {
  const keys = ['ab'.repeat(32)];

  it('takes hosts, IPv4 and IPv6 with a port', () => {
    expect(addressesOf({ addresses: ['c.example:7443', '127.0.0.1:1', '[::1]:2'], keys })).toEqual([
      { host: 'c.example', port: 7443 },
      { host: '127.0.0.1', port: 1 },
      { host: '::1', port: 2 },
    ]);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['no address', [], keys],
    ['an address without a port', ['c.example'], keys],
    ['a port that is none', ['c.example:0'], keys],
    ['a port beyond all', ['c.example:65536'], keys],
    ['an address with a scheme', ['https://c.example:1'], keys],
    ['a bare IPv6 address', ['::1:1'], keys],
    ['no key', ['c.example:1'], []],
    ['a short key', ['c.example:1'], ['ab']],
    ['a key in upper case', ['c.example:1'], ['AB'.repeat(32)]],
  ])('refuses %s', (_, addresses, pinned) => {
    expect(() => addressesOf({ addresses, keys: pinned })).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_CERTIFICATE_LINK' }),
    );
  });
});

describe('nodeKeyOf', () => {
  it('makes one key for a state folder, private, and keeps it', async () => {
    using folder = scratch();
    const { id } = await nodeKeyOf(folder.path);
    expect((await nodeKeyOf(folder.path)).id).toBe(id);
    expect(statSync(folder.file('keys/node.key')).mode & 0o777).toBe(0o600);
  });
});
