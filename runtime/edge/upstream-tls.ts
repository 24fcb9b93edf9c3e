/** Connections to instances that speak TLS, as the edge needs them; who makes them is not its matter. */
import { Socket } from 'node:net';
import type { OnReadOpts } from 'node:net';
import { edgeError } from './errors.ts';
import type { Target } from './target-state.ts';

/** Opens TLS connections on which both ends show mesh certificates. */
export interface UpstreamTls {
  /**
   * Begins to connect. `secureConnect` comes only once the other end has proved to be of the target's
   * app; else the socket ends with an error. `undefined` while there is no valid certificate to show.
   */
  connect(target: Target, onread?: OnReadOpts): Socket | undefined;
  /** Whether another request may go out on it: what both ends showed is still valid. */
  mayKeep(socket: Socket): boolean;
}

/** Opens one, or a socket that ends at once: an instance that asks for TLS is never met without. */
export function secureSocketTo(
  tls: UpstreamTls | null,
  target: Target,
  onread: OnReadOpts,
): Socket {
  const socket = tls?.connect(target, onread);
  if (socket !== undefined) return socket;
  return new Socket().destroy(
    edgeError(
      'MESH_ERR_EDGE_UPSTREAM_IDENTITY',
      `Connecting to ${target.instance}: the edge has no valid mesh certificate to show.`,
    ),
  );
}

/** Whether a connection failed because one of its ends could not prove itself. */
export function isIdentityFault(socket: Socket, error: Error): boolean {
  const { code = '' } = error as { readonly code?: string };
  if (code === 'MESH_ERR_EDGE_UPSTREAM_IDENTITY' || code.startsWith('ERR_SSL_')) return true;
  return 'authorizationError' in socket && Boolean(socket.authorizationError);
}
