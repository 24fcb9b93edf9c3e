import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { controlError } from '../control/errors.ts';

/** What the admin port shows. */
export interface AdminSource {
  /** Prometheus text exposition format. */
  metrics(): Promise<string>;
  /** Why no traffic should come here yet or any more; null when it may. */
  notReady(): Promise<string | null>;
}

export interface AdminServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Idempotent. */
  close(): Promise<void>;
}

/** A scrape that takes longer than this shows a mesh that is stuck. */
const ANSWER_TIMEOUT_MS = 5_000;
const CONNECTIONS_MAX = 32;

/**
 * Serves /metrics, /livez (this process answers) and /readyz (its mesh serves) on the loopback.
 * Rejects with MESH_ERR_CONTROL_ADMIN_PORT where the port cannot be had.
 */
export async function serveAdmin(source: AdminSource, port: number): Promise<AdminServer> {
  const server = createServer({ requestTimeout: ANSWER_TIMEOUT_MS }, (request, response) => {
    const path = new URL(request.url ?? '/', 'http://admin').pathname;
    answer(source, path, response).catch((error: unknown) => {
      if (!response.headersSent) say(response, 500, `${String(error)}\n`);
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (cause) => {
    reject(
      controlError(
        'MESH_ERR_CONTROL_ADMIN_PORT',
        `The admin port ${String(port)} cannot be had: ${cause.message}.`,
        { cause },
      ),
    );
  });
  server.listen(port, '127.0.0.1', () => {
    resolve();
  });
  await promise;
  const bound = (server.address() as AddressInfo).port;
  return { url: `http://127.0.0.1:${String(bound)}`, close: () => close(server) };
}

async function answer(source: AdminSource, path: string, response: ServerResponse): Promise<void> {
  if (path === '/livez') say(response, 200, 'ok\n');
  else if (path === '/readyz') {
    const why = await source.notReady();
    if (why === null) say(response, 200, 'ok\n');
    else say(response, 503, `${why}\n`);
  } else if (path === '/metrics')
    say(response, 200, await source.metrics(), 'text/plain; version=0.0.4; charset=utf-8');
  else say(response, 404, 'There are /metrics, /livez and /readyz.\n');
}

function say(response: ServerResponse, status: number, body: string, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}

async function close(server: ReturnType<typeof createServer>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => {
    resolve();
  });
  server.closeAllConnections();
  await promise;
}
