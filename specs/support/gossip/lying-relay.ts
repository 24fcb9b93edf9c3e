/** A relay that answers what a spec wants it to, signed by nobody. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

export interface Lie {
  readonly status?: number;
  readonly body?: string | Buffer;
  /** Says nothing at all. */
  readonly silent?: true;
  /** Ends the connection in the middle of the body. */
  readonly broken?: true;
}

export interface LyingRelay extends AsyncDisposable {
  readonly url: string;
  /** What it was asked, oldest first. */
  readonly asked: string[];
  /** How often a wake-up socket was asked for. */
  readonly upgrades: () => number;
  /** Ends all wake-up sockets. */
  hangUp(): void;
}

/** Answers each request with what `lie` gives for its method and path. */
export async function lyingRelay(lie: (request: string) => Lie): Promise<LyingRelay> {
  const asked: string[] = [];
  let upgrades = 0;
  const server = createServer((request, response) => {
    request.resume();
    const what = `${request.method} ${request.url}`;
    asked.push(what);
    const { status = 200, body = '', silent, broken } = lie(what);
    if (silent) return;
    response.writeHead(status, broken ? { 'content-length': '1000' } : {});
    if (broken) response.write(body, () => response.destroy());
    else response.end(body);
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    upgrades++;
    sockets.handleUpgrade(request, socket, head, (open) => open.send('mail'));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    upgrades: () => upgrades,
    hangUp: () => {
      for (const open of sockets.clients) open.terminate();
    },
    async [Symbol.asyncDispose]() {
      for (const open of sockets.clients) open.terminate();
      server.closeAllConnections();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}
