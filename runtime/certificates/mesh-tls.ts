/**
 * The mesh as a TLS client of its instances: it shows the edge's certificate, and believes who shows
 * one of the same mesh for the app that was asked for.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, connect } from 'node:tls';
import type { PeerCertificate, SecureContext, TLSSocket } from 'node:tls';
import type { OnReadOpts, Socket } from 'node:net';
import type { Clock } from '../../machines/kernel/clock.ts';
import { edgeError } from '../edge/errors.ts';
import type { Target } from '../edge/target-state.ts';
import type { UpstreamTls } from '../edge/upstream-tls.ts';
import type { IdentityPem } from './identity-files.ts';

/** The one SPIFFE ID of a certificate; `undefined` where there is none, or more than one. */
export function spiffeIdIn({ subjectaltname = '' }: Partial<PeerCertificate>): string | undefined {
  const uris = subjectaltname.split(', ').filter((name) => name.startsWith('URI:'));
  return uris.length === 1 ? uris[0]?.slice('URI:'.length) : undefined;
}

/** Where an instance's own SPIFFE ID must lie: below the trust domain of the edge's. */
export const spiffeIdOfApp = (edgeSpiffeId: string, app: string): string =>
  `spiffe://${/^spiffe:\/\/([^/]+)\//.exec(edgeSpiffeId)?.[1] ?? ''}/workload/${app}`;

interface Identity {
  readonly notAfterMs: number;
  readonly context: SecureContext;
  readonly spiffeId: string;
  /** Sessions to go on with, by target; new ones begin with each certificate. */
  readonly sessions: WeakMap<Target, Session>;
}

/** A resumed session verifies nothing, so it must not outlive what was verified when it began. */
interface Session {
  readonly ticket: Buffer;
  readonly notAfterMs: number;
}

export class MeshTls implements UpstreamTls {
  readonly #clock: Pick<Clock, 'now'>;
  /** When the first of both ends' certificates expires. */
  readonly #ends = new WeakMap<Socket, number>();
  #identity: Identity | undefined;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Takes another certificate; connections that are open go on with the old one. */
  hold({ key, certificates, authorities }: IdentityPem, spiffeId: string): void {
    const context = createSecureContext({
      key,
      cert: certificates,
      ca: authorities,
      minVersion: 'TLSv1.3',
    });
    const notAfterMs = new X509Certificate(certificates).validToDate.getTime();
    this.#identity = { context, spiffeId, notAfterMs, sessions: new WeakMap() };
  }

  connect(target: Target, onread?: OnReadOpts): TLSSocket | undefined {
    const identity = this.#identity;
    // What has expired is refused only after the handshake, and then without a reason.
    if (identity === undefined || this.#clock.now() > identity.notAfterMs) return undefined;
    const { context, sessions } = identity;
    const due = spiffeIdOfApp(identity.spiffeId, target.app);
    const known = sessions.get(target);
    const resumed = known && known.notAfterMs > this.#clock.now() ? known : undefined;
    const socket = connect({
      host: target.host,
      port: target.port,
      secureContext: context,
      ALPNProtocols: ['http/1.1'],
      // Of this very target: whoever can go on with its session has proved itself before.
      ...(resumed && { session: resumed.ticket }),
      ...(onread && { onread }),
      checkServerIdentity: (_, certificate) => identityFault(target, certificate, due),
    });
    socket.setNoDelay(true);
    const notAfterMs = (): number =>
      Math.min(
        identity.notAfterMs,
        resumed?.notAfterMs ?? Date.parse(socket.getPeerCertificate().valid_to),
      );
    return socket
      .once('secureConnect', () => this.#ends.set(socket, notAfterMs()))
      .on('session', (ticket) => sessions.set(target, { ticket, notAfterMs: notAfterMs() }));
  }

  mayKeep(socket: Socket): boolean {
    return this.#clock.now() < (this.#ends.get(socket) ?? 0);
  }
}

function identityFault(
  { instance }: Target,
  certificate: PeerCertificate,
  due: string,
): Error | undefined {
  const found = spiffeIdIn(certificate);
  if (found === due) return undefined;
  return edgeError(
    'MESH_ERR_EDGE_UPSTREAM_IDENTITY',
    `Connecting to ${instance}: it shows ${found ?? 'no one SPIFFE ID'}, ${due} is due.`,
  );
}
