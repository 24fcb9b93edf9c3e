/**
 * A process of its own for each contender that Node runs, so that its CPU seconds are its alone:
 * `node edge-contender.ts NAME UPSTREAM_PORT`. It prints its port once it listens.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Agent, createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createServer as createNetServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { systemClock } from '../../runtime/adapters/clock.system.ts';
import { createEdge } from '../../runtime/edge/edge.ts';
import { RoutingTable } from '../../runtime/edge/routing-table.ts';

type Proxy = (incoming: IncomingMessage, response: ServerResponse, url: string) => void;

const require = createRequire(import.meta.url);
const [name = 'ours', upstreamText = '0'] = process.argv.slice(2);
const upstreamPort = Number(upstreamText);
const base = `http://127.0.0.1:${upstreamPort}`;

async function ours(): Promise<number> {
  const routes = new RoutingTable();
  const target = { instance: 'app-1', app: 'app', host: '127.0.0.1', port: upstreamPort };
  routes.publish('app', [target]);
  return (await createEdge({ routes, clock: systemClock, port: 0 }).listen()).port;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** What the edge adds and takes away, for the Node peers. */
const serve = (proxy: Proxy): RequestListener => {
  return (incoming, response) => {
    response.setHeader('X-Mycelium-Edge', new Date().toISOString());
    proxy(incoming, response, (incoming.url ?? '/').slice('/app'.length));
  };
};

function fastProxy(): Promise<number> {
  const create = require('fast-proxy') as (options: object) => {
    proxy: (...args: unknown[]) => void;
  };
  const { proxy } = create({ base });
  return listen(
    createServer(serve((incoming, response, url) => proxy(incoming, response, url, {}))),
  );
}

function httpProxy(): Promise<number> {
  const library = require('http-proxy') as {
    createProxyServer(options: object): {
      web(incoming: IncomingMessage, response: ServerResponse, options: object): void;
    };
  };
  const agent = new Agent({ keepAlive: true });
  const proxy = library.createProxyServer({ target: base, agent, xfwd: true });
  return listen(
    createServer(
      serve((incoming, response, url) => {
        incoming.url = url;
        proxy.web(incoming, response, {});
      }),
    ),
  );
}

/** An instance without an HTTP stack, where nginx is missing: the answer to every read. */
function upstream(): Promise<number> {
  const small = 'HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\nhello from a small instance';
  const size = 2 ** 20;
  const large = Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`),
    Buffer.alloc(size, 'x'),
  ]);
  return listen(
    createNetServer({ noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk: Buffer) => {
        if (chunk.includes(' /large')) socket.write(large);
        else socket.write(small);
      });
    }),
  );
}

const CONTENDERS: Readonly<Record<string, () => Promise<number>>> = {
  ours,
  'fast-proxy': fastProxy,
  'http-proxy': httpProxy,
  upstream,
};

const start = CONTENDERS[name];
if (!start) throw new Error(`There is no contender ${name}.`);
process.stdout.write(`${await start()}\n`);
