/** Two attesting ends over real TLS, and clients that misbehave. */
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import nacl from 'tweetnacl';
import type { Issuer, Validator } from '../../../actors/coordinator/ports/attestation.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createProcessIssuer } from '../../../runtime/attest/process-evidence.ts';
import { createValidator } from '../../../runtime/attest/validator.ts';
import type { AcceptedConnection } from '../../../runtime/attested-tls/accepted-connection.ts';
import { attestedConnect } from '../../../runtime/attested-tls/connect.ts';
import type { AttestedConnectOptions } from '../../../runtime/attested-tls/connect.ts';
import type { AttestedPeer } from '../../../runtime/attested-tls/exchange.ts';
import { ATTESTED_PROTOCOL } from '../../../runtime/attested-tls/limits.ts';
import { listenTls } from '../../../runtime/attested-tls/listener.ts';
import type { ListenOptions, TlsListener } from '../../../runtime/attested-tls/listener.ts';
import { createTlsIdentity } from '../../../runtime/attested-tls/tls-identity.ts';
import { tlsOptionsOf } from '../../../runtime/attested-tls/tls-options.ts';
import { until } from '../until.ts';

const nodeKey = nacl.sign.keyPair();
export const SERVER_SPORE = 'aa'.repeat(32);
export const CLIENT_SPORE = 'bb'.repeat(32);

export const issuerOf = (spore: string): Issuer =>
  createProcessIssuer(nodeKey, { spore, binary: 'cc'.repeat(32), instance: 'i' }, systemClock);
export const validator: Validator = createValidator(
  {
    hardware: 'optional',
    process: { nodeKeys: [Buffer.from(nodeKey.publicKey).toString('hex')] },
  },
  { clock: systemClock },
);
export const clientIdentity = createTlsIdentity(Date.now());

export interface AttestedWorld extends AsyncDisposable {
  readonly listener: TlsListener;
  /** What the server's side came to, in order: a peer or an error. */
  readonly outcomes: (AttestedPeer | Error)[];
  connect(options?: Partial<AttestedConnectOptions>): ReturnType<typeof attestedConnect>;
  /** A bare TLS client of the attested protocol. */
  tls(options?: ConnectionOptions): Promise<TLSSocket>;
  tcp(): Promise<Socket>;
  /** The next outcome of the server's side. */
  outcome(): Promise<AttestedPeer | Error>;
}

export async function attestedWorld(
  options: Partial<ListenOptions> & { readonly validator?: Validator } = {},
): Promise<AttestedWorld> {
  const outcomes: (AttestedPeer | Error)[] = [];
  const sockets = new Set<Socket>();
  const note = (error: unknown): void => void outcomes.push(error as Error);
  const listener = await listenTls({
    host: '127.0.0.1',
    port: 0,
    identity: createTlsIdentity(Date.now()),
    issuer: issuerOf(SERVER_SPORE),
    clock: systemClock,
    onConnection: (connection: AcceptedConnection) => {
      connection.attest(options.validator ?? validator).then((peer) => outcomes.push(peer), note);
    },
    onRefused: note,
    ...options,
  });
  const { host, port } = listener;
  const keep = <One extends Socket>(socket: One): One => {
    sockets.add(socket);
    return socket.on('error', () => undefined);
  };
  return {
    listener,
    outcomes,
    connect: async (own = {}) => {
      const connection = await attestedConnect({
        host,
        port,
        identity: clientIdentity,
        issuer: issuerOf(CLIENT_SPORE),
        validator,
        clock: systemClock,
        ...own,
      });
      keep(connection.socket);
      return connection;
    },
    tls: (own = {}) => {
      const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
      const socket = connectTls({
        ...tlsOptionsOf(clientIdentity),
        host,
        port,
        rejectUnauthorized: false,
        ALPNProtocols: [ATTESTED_PROTOCOL],
        ...own,
      });
      keep(socket).once('secureConnect', () => resolve(socket));
      socket.once('error', reject);
      return promise;
    },
    tcp: () => {
      const { promise, resolve, reject } = Promise.withResolvers<Socket>();
      const socket = keep(connectTcp({ host, port }, () => resolve(socket)));
      socket.once('error', reject);
      return promise;
    },
    outcome: async () => {
      await until(() => outcomes.length > 0);
      return outcomes.shift() as AttestedPeer | Error;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await listener.close();
    },
  };
}
