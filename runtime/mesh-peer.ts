/** The peer of a node: what the node says in public, and what it hears, in the tree of its mesh. */
import { join } from 'node:path';
import { ROOT } from '../actors/workload/paths.ts';
import type { MeshParts } from './compose.ts';
import type { Announcer } from './gossip/announce/announcer.ts';
import type { Peer } from './gossip/peer/start-peer.ts';
import type { Relay } from './relay/relay.ts';

/** How a node takes part in public messages. */
export interface MeshPeerOptions {
  /** The relay, `http://HOST:PORT`. Default: one of its own, in this process. */
  readonly relay?: string;
  /** Port of a relay of its own on 127.0.0.1. Default a free one. */
  readonly relayPort?: number;
  /** The mesh that its messages belong to. Default `mesh`. */
  readonly meshId?: string;
  /**
   * Whether the node posts its deployments, reverts, crash loops and recoveries as public messages:
   * names, versions and codes, no output of programs. Default false.
   */
  readonly announce?: boolean;
}

/** The peer of a running mesh, and what came with it. */
export interface MeshPeer {
  readonly peer: Peer;
  /** Ends all of it. Idempotent. */
  stop(): Promise<void>;
}

/** Starts it below the root of the mesh's tree. Rejects as `startPeer` and `startRelay` do. */
export async function startMeshPeer(parts: MeshParts, options: MeshPeerOptions): Promise<MeshPeer> {
  // A mesh without a peer loads none of it.
  const [{ startPeer }, { Announcer }] = await Promise.all([
    import('./gossip/peer/start-peer.ts'),
    import('./gossip/announce/announcer.ts'),
  ]);
  const { meshId } = options;
  const of = meshId === undefined ? {} : { meshId };
  const own = options.relay === undefined ? await ownRelay(parts, options) : undefined;
  try {
    const peer = await startPeer({
      home: parts.paths.home,
      relay: options.relay ?? own?.url ?? '',
      host: { tree: parts.tree, path: ROOT, pool: parts.pool },
      clock: parts.clock,
      ...of,
    });
    const announcer = options.announce === true ? announcerOf(Announcer, parts, peer) : undefined;
    let isStopping = false;
    // The node goes on without it, so somebody has to say that it is gone.
    void peer.ended.then((reason) => {
      if (!isStopping) parts.ports.notice('the peer of this node ended', reason);
    });
    return {
      peer,
      stop: () => {
        isStopping = true;
        return stop(peer, announcer, own);
      },
    };
  } catch (error) {
    await own?.stop();
    throw error;
  }
}

async function ownRelay({ paths }: MeshParts, options: MeshPeerOptions): Promise<Relay> {
  const { startRelay } = await import('./relay/relay.ts');
  const { relayPort, meshId } = options;
  return startRelay({
    path: join(paths.home, 'relay.sqlite'),
    ...(relayPort === undefined ? {} : { port: relayPort }),
    ...(meshId === undefined ? {} : { meshId }),
  });
}

const announcerOf = (
  Made: typeof Announcer,
  { fabric, clock, ports }: MeshParts,
  peer: Peer,
): Announcer =>
  new Made({
    fabric,
    clock,
    desk: peer,
    store: peer.store,
    notice: ports.notice,
  });

async function stop(
  peer: Peer,
  announcer: Announcer | undefined,
  relay: Relay | undefined,
): Promise<void> {
  await announcer?.stop();
  await peer.stop();
  await relay?.stop();
}
