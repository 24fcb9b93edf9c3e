/**
 * The feed of a peer, as a page on the loopback: messages as they arrive, and a line to post one. Who
 * may come in is the inspector's rule (`runtime/web/server/gate.ts`).
 *
 *     GET  /api/peer                   FeedPeer
 *     GET  /api/messages?after=ROW     MessageRow[], oldest first; without `after` the newest
 *     POST /api/messages               {"text", "replyTo"?} → 201 {"id"}
 *     /live?after=ROW                  {"type": "NewMessage", "seq": ROW, "message": MessageRow} each
 *
 * `seq` is the message's row: it grows, and a reader that comes back names the last one it has, so it
 * misses nothing and gets nothing twice. A message whose author's key arrives later comes again, verified.
 */
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { inspectError } from '../errors.ts';
import { feedPageDir } from '../page-dir.ts';
import { Entrance } from '../server/entrance.ts';
import { Gate } from '../server/gate.ts';
import { createFeedApp } from './feed-app.ts';
import type { FeedSource } from './feed-app.ts';
import { tellNews } from './news.ts';

export interface FeedOptions {
  /** On 127.0.0.1; 0 for a free one. Default 0. */
  readonly port?: number;
  /** Folder of the built page. Default: the package's own. */
  readonly pageDir?: string;
}

export interface FeedServer {
  readonly port: number;
  /** An address that works once. */
  invite(): string;
  /** Ends every connection. Idempotent. */
  close(): Promise<void>;
}

const newToken = (): string => randomBytes(24).toString('base64url');

/** Serves the feed. MESH_ERR_INSPECT_PORT, MESH_ERR_INSPECT_PAGE. */
export async function serveFeed(
  source: FeedSource,
  options: FeedOptions = {},
): Promise<FeedServer> {
  const { peerId } = await source.info();
  const gate = new Gate(newToken(), `mesh-feed-${peerId.slice(0, 16)}`);
  const app = createFeedApp({ source, gate, pageDir: options.pageDir ?? (await feedPageDir()) });
  const ended = new AbortController();
  const entrance = new Entrance(gate, {
    '/live': {
      find: ({ searchParams }) => {
        const after = Number(searchParams.get('after') ?? 0);
        if (!Number.isSafeInteger(after) || after < 0) return undefined;
        return (socket) => void tellNews(socket, source, after, ended.signal);
      },
    },
  });
  const { server, port } = await listen(app.fetch, options.port ?? 0);
  entrance.port = port;
  server.on('upgrade', (request, socket, head) => entrance.upgrade(request, socket, head));
  return {
    port,
    invite: () => {
      const token = newToken();
      gate.invite(token);
      return `http://127.0.0.1:${String(port)}/?token=${token}`;
    },
    close: () => close(server, ended),
  };
}

async function listen(
  fetch: Parameters<typeof serve>[0]['fetch'],
  wanted: number,
): Promise<{ server: Server; port: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = serve({ fetch, hostname: '127.0.0.1', port: wanted }, ({ port }) =>
    resolve(port),
  ) as Server;
  server.once('error', reject);
  try {
    const port = await promise;
    server.off('error', reject);
    return { server, port };
  } catch (cause) {
    throw inspectError(
      'MESH_ERR_INSPECT_PORT',
      `Listening on port ${String(wanted)} failed: ${String(cause)}.`,
      { cause },
    );
  }
}

async function close(server: Server, ended: AbortController): Promise<void> {
  ended.abort();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => {
    resolve();
  });
  server.closeAllConnections();
  await promise;
}
