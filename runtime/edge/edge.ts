import type { Server, Socket } from 'node:net';
import type { Clock, TimerId } from '../../machines/kernel/clock.ts';
import type { AppCountersSnapshot } from './counters.ts';
import type { EdgeContext } from './edge-context.ts';
import type { EdgeErrorCode } from './errors.ts';
import type { EdgeLimits } from './limits.ts';
import type { RoutingTable } from './routing-table.ts';
import { createServer } from 'node:net';
import { ClientConnection } from './client-connection.ts';
import { countRefusal } from './edge-context.ts';
import { edgeError } from './errors.ts';
import { DEFAULT_LIMITS, tickMs } from './limits.ts';
import { writeOwnResponse } from './own-response.ts';
import { Stamp } from './stamp.ts';
import type { UpstreamTls } from './upstream-tls.ts';
import { WriteBatch } from './write-batch.ts';

export interface EdgeOptions {
  readonly routes: RoutingTable;
  /** For instances that speak TLS. Default: none of them can be met. */
  readonly tls?: UpstreamTls;
  readonly clock: Clock;
  readonly limits?: Partial<EdgeLimits>;
  /** Default 127.0.0.1. */
  readonly host?: '127.0.0.1';
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface EdgeCounters {
  readonly apps: Readonly<Record<string, AppCountersSnapshot>>;
  /** Client connections now, and since the start. */
  readonly connections: number;
  readonly accepted: number;
  /** Requests that reached no app, by code. */
  readonly refusals: Readonly<Partial<Record<EdgeErrorCode, number>>>;
}

/** A reverse proxy for apps: `/{app}/rest?query` goes to one of the app's targets. */
export interface Edge {
  /** @throws MESH_ERR_EDGE_LISTEN if the port is taken or not allowed. */
  listen(): Promise<{ readonly port: number }>;
  /**
   * Accepts no more, closes idle connections, lets requests end for up to `deadlineMs` and then
   * ends them. Resolves with how many those were, once every connection is closed. Idempotent.
   */
  close(deadlineMs: number): Promise<{ readonly cancelled: number }>;
  counters(): EdgeCounters;
}

/** Bytes of one read from an instance: what a socket buffer holds at most on the loopback. */
const READ_BYTES = 64 * 1024;
/** Connections beyond the limit that get a 503; still further ones are dropped. */
const REFUSED_CONNECTIONS_MAX = 256;

class NetEdge implements Edge {
  readonly #context: EdgeContext;
  readonly #server: Server;
  readonly #address: { readonly host: string; readonly port: number };
  readonly #clients = new Set<ClientConnection>();
  readonly #tickMs: number;
  #accepted = 0;
  #ticker: TimerId = undefined;
  #closing: Promise<{ readonly cancelled: number }> | null = null;

  constructor(options: EdgeOptions) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { clock, routes } = options;
    this.#context = {
      limits,
      clock,
      routes,
      stamp: new Stamp(clock),
      tls: options.tls ?? null,
      batch: new WriteBatch(),
      readBuffer: Buffer.allocUnsafeSlow(READ_BYTES),
      refusals: new Map(),
      nowMs: clock.monotonicNow(),
      isClosing: false,
    };
    this.#tickMs = tickMs(limits);
    this.#address = { host: options.host ?? '127.0.0.1', port: options.port };
    this.#server = createServer({ noDelay: true, highWaterMark: READ_BYTES }, (socket) =>
      this.#accept(socket),
    );
    this.#server.maxConnections = limits.connectionsMax + REFUSED_CONNECTIONS_MAX;
  }

  listen(): Promise<{ readonly port: number }> {
    const { host, port } = this.#address;
    return new Promise((resolve, reject) => {
      const failed = (cause: Error): void =>
        reject(edgeError('MESH_ERR_EDGE_LISTEN', `Listening on ${host}:${port}.`, { cause }));
      this.#server.once('error', failed);
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.off('error', failed);
        // Accepting fails while descriptors are short; the client sees it, and the next may work.
        this.#server.on('error', () => countRefusal(this.#context, 'MESH_ERR_EDGE_LISTEN'));
        const address = this.#server.address();
        resolve({ port: typeof address === 'object' && address ? address.port : port });
      });
    });
  }

  close(deadlineMs: number): Promise<{ readonly cancelled: number }> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  counters(): EdgeCounters {
    const { routes, refusals } = this.#context;
    return {
      apps: Object.fromEntries(
        [...routes.routes()].map(({ app, counters }) => [app, counters.snapshot()]),
      ),
      connections: this.#clients.size,
      accepted: this.#accepted,
      refusals: Object.fromEntries(refusals),
    };
  }

  #close(deadlineMs: number): Promise<{ readonly cancelled: number }> {
    const context = this.#context;
    context.isClosing = true;
    let cancelled = 0;
    const timer = context.clock.setTimeout(() => {
      for (const client of this.#clients) {
        if (client.exchange === null) client.endConnection();
        else {
          cancelled++;
          client.exchange.cancel();
        }
      }
    }, deadlineMs);
    return new Promise((resolve) => {
      this.#server.close(() => {
        context.clock.clearTimeout(timer);
        if (this.#ticker !== undefined) context.clock.clearTimeout(this.#ticker);
        for (const target of context.routes.targets()) target.closeIdle();
        resolve({ cancelled });
      });
      for (const client of this.#clients) if (client.isIdle) client.endConnection();
    });
  }

  #accept(socket: Socket): void {
    this.#accepted++;
    if (this.#clients.size >= this.#context.limits.connectionsMax) return this.#refuse(socket);
    const client = new ClientConnection(this.#context, socket);
    this.#clients.add(client);
    socket.on('close', () => this.#clients.delete(client));
    if (this.#ticker === undefined) this.#tick();
    return undefined;
  }

  #refuse(socket: Socket): void {
    const { stamp } = this.#context;
    const code = 'MESH_ERR_EDGE_CONNECTIONS_LIMIT';
    const message = 'Accepting a connection: too many are open.';
    const response = { code, message, keepAlive: false, isHead: false, isHttp10: false } as const;
    countRefusal(this.#context, code);
    // A client that is gone already needs no answer.
    socket.on('error', () => {});
    socket.end(writeOwnResponse(response, stamp), 'latin1', () => socket.destroy());
  }

  /** Looks at all deadlines; it runs only while there is anything to look at. */
  #tick(): void {
    const { clock } = this.#context;
    const nowMs = clock.monotonicNow();
    this.#context.nowMs = nowMs;
    for (const client of this.#clients) if (client.deadlineMs <= nowMs) client.deadlinePassed();
    const hasIdle = this.#closeOldIdle(nowMs);
    if (this.#clients.size === 0 && !hasIdle) this.#ticker = undefined;
    else this.#ticker = clock.setTimeout(() => this.#tick(), this.#tickMs);
  }

  #closeOldIdle(nowMs: number): boolean {
    let hasIdle = false;
    for (const { idle } of this.#context.routes.targets()) {
      for (const upstream of idle.filter((one) => one.idleUntilMs <= nowMs)) upstream.close();
      hasIdle ||= idle.length > 0;
    }
    return hasIdle;
  }
}

/** Builds an edge; nothing listens before `listen`. */
export const createEdge = (options: EdgeOptions): Edge => new NetEdge(options);
