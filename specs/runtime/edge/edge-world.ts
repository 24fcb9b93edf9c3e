import type { AddressInfo, Server, Socket } from 'node:net';
import type { RequestListener } from 'node:http';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import type { Edge } from '../../../runtime/edge/edge.ts';
import type { EdgeLimits } from '../../../runtime/edge/limits.ts';
import type { Target } from '../../../runtime/edge/routing-table.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createEdge } from '../../../runtime/edge/edge.ts';
import { RoutingTable } from '../../../runtime/edge/routing-table.ts';

const DEADLINE_MS = 8_000;

/** Waits until `holds`, looking again on every turn of the loop. Fails at a deadline. */
export async function until(holds: () => boolean, what: string | (() => string)): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!holds()) {
    if (performance.now() > deadline) {
      const missed = typeof what === 'string' ? what : what();
      throw new Error(`Waited in vain for ${missed}.`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}

/** A client that speaks bytes. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  isClosed = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket
      .on('data', (chunk: Buffer) => {
        this.received += chunk.toString('latin1');
      })
      // A reset is one way of closing; what was received tells the rest.
      .on('error', () => {})
      .on('close', () => {
        this.isClosed = true;
      });
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  async receives(pattern: RegExp | string): Promise<string> {
    const found = (): boolean =>
      typeof pattern === 'string' ? this.received.includes(pattern) : pattern.test(this.received);
    await until(found, () => `${String(pattern)} in ${this.#last()}`);
    return this.received;
  }

  #last(): string {
    return JSON.stringify(this.received.slice(-300));
  }

  async closed(): Promise<string> {
    await until(
      () => this.isClosed,
      () => `the end of ${this.#last()}`,
    );
    return this.received;
  }
}

/** An upstream that is a real server of the spec's making. */
export interface Upstream {
  readonly target: Target;
  readonly server: Server;
  readonly sockets: ReadonlySet<Socket>;
  /** All bytes that reached it. */
  readonly received: () => string;
  close(): Promise<void>;
}

/** An edge on a free port, and what its apps need. */
export class EdgeWorld {
  readonly routes = new RoutingTable();
  readonly edge: Edge;
  port = 0;
  readonly #upstreams: Upstream[] = [];
  readonly #clients: RawClient[] = [];
  #instances = 0;

  constructor(limits: Partial<EdgeLimits>) {
    this.edge = createEdge({ routes: this.routes, clock: systemClock, limits, port: 0 });
  }

  /** An instance whose HTTP server is Node's. */
  http(listener: RequestListener, app = 'app'): Promise<Upstream> {
    return this.#listen(createHttpServer({ keepAliveTimeout: 60_000 }, listener), app);
  }

  /** An instance that answers every connection with what `serve` does. */
  net(serve: (socket: Socket) => void, app = 'app'): Promise<Upstream> {
    return this.#listen(createServer({ noDelay: true }, serve), app);
  }

  client(): RawClient {
    const client = new RawClient(this.port);
    this.#clients.push(client);
    return client;
  }

  /** Sends bytes on a connection of its own and returns all that comes back before it closes. */
  ask(text: string): Promise<string> {
    return this.client().send(text).closed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.#clients) socket.destroy();
    await this.edge.close(0);
    for (const upstream of this.#upstreams) await upstream.close();
  }

  async #listen(server: Server, app: string): Promise<Upstream> {
    const sockets = new Set<Socket>();
    let received = '';
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const instance = `${app}-${++this.#instances}`;
    const upstream: Upstream = {
      target: { instance, app, host: '127.0.0.1', port },
      server,
      sockets,
      received: () => received,
      close: async () => {
        for (const socket of sockets) socket.destroy();
        if (server.listening) await new Promise((resolve) => server.close(resolve));
      },
    };
    this.#upstreams.push(upstream);
    return upstream;
  }
}

export async function startEdge(limits: Partial<EdgeLimits> = {}): Promise<EdgeWorld> {
  const world = new EdgeWorld(limits);
  world.port = (await world.edge.listen()).port;
  return world;
}

/** An edge whose only app `app` is served by one instance. */
export async function startEdgeFor(
  listener: RequestListener,
  limits: Partial<EdgeLimits> = {},
): Promise<EdgeWorld & { readonly upstream: Upstream }> {
  const world = await startEdge(limits);
  const upstream = await world.http(listener);
  world.routes.publish('app', [upstream.target]);
  return Object.assign(world, { upstream });
}

/** Status codes of the responses in a byte stream, interim ones included. */
export const statusesOf = (received: string): number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** The code of the edge's own answer. */
export const codeIn = (received: string): string | undefined =>
  /"code":"(MESH_ERR_EDGE_\w+)"/.exec(received)?.[1];
