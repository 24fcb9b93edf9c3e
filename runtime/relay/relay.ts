/**
 * A relay: inboxes for peers that cannot reach each other, or not now. It is trusted with nothing but
 * keeping: it sees headers, and it may lose, repeat and delay, which every peer reckons with.
 *
 *     relay          one_for_one
 *     ├─ listener    the port
 *     └─ pruner      removes what has expired
 */
import { fromPromise } from 'xstate';
import type { Clock } from '../../machines/kernel/clock.ts';
import type { CodedError } from '../../machines/kernel/coded-error.ts';
import { childSpec } from '../../supervisor/index.ts';
import type { Logger, TreeNode } from '../../supervisor/index.ts';
import { systemClock } from '../adapters/clock.system.ts';
import { openRelayStore } from '../adapters/relay-store.sqlite.ts';
import type { RelayStore, RelayStoreCounts } from '../adapters/relay-store.sqlite.ts';
import { startTree } from '../start-tree.ts';
import { Admission } from './admission.ts';
import type { RelayAppOptions } from './app.ts';
import { RelayCounters } from './counters.ts';
import { RELAY_LIMITS } from './limits.ts';
import type { RelayLimits } from './limits.ts';
import { listenRelay } from './listener.ts';
import type { RelayListener } from './listener.ts';
import { PostOffice } from './post-office.ts';
import { Wakes } from './wakes.ts';

/** All but the file have a default. */
export interface RelayOptions {
  /** The database, made where it is missing; its folder must exist. */
  readonly path: string;
  /**
   * Default 127.0.0.1: whoever should come from outside comes through something that ends TLS. With
   * 0.0.0.0 or :: the addresses by which clients come have to be in `publicUrls`.
   */
  readonly host?: string;
  /** Default 0, a free one. */
  readonly port?: number;
  /**
   * Further addresses under which clients know this relay (`https://relay.example`), without a slash
   * at the end: each request is signed for one. Default: none but those of the port.
   */
  readonly publicUrls?: readonly string[];
  /** Takes envelopes of this mesh only. Default: of any. */
  readonly meshId?: string;
  readonly limits?: Partial<RelayLimits>;
  /** Largest size of the database, in octets. Default 8 GiB. */
  readonly bytesMax?: number;
  readonly clock?: Clock;
  /** Where lines for the operator go. Default: nowhere. */
  readonly logger?: Logger;
  /** Told of a damaged database that was set aside. Default: a warning of the process. */
  readonly onCorrupt?: (error: CodedError) => void;
}

/** A relay that runs. */
export interface Relay {
  /** `http://HOST:PORT`: what a client is given. */
  readonly url: string;
  readonly port: number;
  counts(): RelayStoreCounts;
  /** Refusals so far, by code. */
  refusals(): Readonly<Record<string, number>>;
  /** Prometheus text exposition format, as at `/metrics`. */
  metrics(): Promise<string>;
  describe(): TreeNode;
  /** Resolves with the reason when all of it has ended, asked to or not. */
  readonly ended: Promise<unknown>;
  /** Lets requests in flight end for a moment. Idempotent. */
  stop(): Promise<void>;
}

/** Restarts within a minute: a disk that is full for a while comes so far, and no further. */
const INTENSITY = 30;
const PERIOD_MS = 60_000;
const BACKOFF = { minMs: 100, maxMs: 10_000, factor: 2, jitter: 0.5, resetAfterMs: 60_000 };

/**
 * Opens the inboxes and the port. Rejects with MESH_ERR_RELAY_LISTEN and what `openRelayStore` throws.
 *
 * @example
 * const relay = await startRelay({ path: 'relay.sqlite', port: 7070 });
 * await relay.stop();
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { clock = systemClock, host = '127.0.0.1' } = options;
  const { path, bytesMax, onCorrupt } = options;
  const store = openRelayStore({
    path,
    clock,
    ...(bytesMax === undefined ? {} : { bytesMax }),
    ...(onCorrupt === undefined ? {} : { onCorrupt }),
  });
  const parts = partsOf(options, store, clock, host);
  try {
    await parts.listen(options.port ?? 0);
    return await supervise(options, parts, store, clock, host);
  } catch (error) {
    await parts.listener()?.close();
    store.close();
    throw error;
  }
}

interface Parts {
  readonly app: RelayAppOptions;
  listener(): RelayListener | undefined;
  /** Opens the port once more where the last one is closed. */
  listen(port: number): Promise<RelayListener>;
}

function partsOf(options: RelayOptions, store: RelayStore, clock: Clock, host: string): Parts {
  const limits = { ...RELAY_LIMITS, ...options.limits };
  let listener: RelayListener | undefined;
  const names = (): string[] => [
    ...ownNames(host).map((name) => `http://${name}:${listener?.port ?? 0}`),
    ...(options.publicUrls ?? []),
  ];
  const admission = new Admission(limits, clock, names);
  const wakes = new Wakes(limits, clock);
  const counters = new RelayCounters({
    store: () => store.counts(),
    connections: () => listener?.connections() ?? 0,
    watchers: () => wakes.watchers,
    nonces: () => admission.nonces,
  });
  const { meshId } = options;
  const office = new PostOffice({
    store,
    clock,
    limits,
    counters,
    onMail: (peer) => wakes.wake(peer),
    ...(meshId === undefined ? {} : { meshId }),
  });
  const app = { admission, office, store, wakes, counters, limits, clock };
  return {
    app,
    listener: () => listener,
    listen: async (port) => (listener = await listenRelay(app, { host, port })),
  };
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];
const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** A port of the loopback has several names; one of every address has these, and what it is told. */
const ownNames = (host: string): string[] =>
  [...LOOPBACK, '[::]', '0.0.0.0'].includes(inUrl(host)) ? LOOPBACK : [inUrl(host)];

async function supervise(
  options: RelayOptions,
  parts: Parts,
  store: RelayStore,
  clock: Clock,
  host: string,
): Promise<Relay> {
  const { counters } = parts.app;
  const port = parts.listener()?.port ?? 0;
  const { logger } = options;
  const tree = await startTree(
    {
      id: 'relay',
      type: 'supervisor',
      intensity: INTENSITY,
      periodMs: PERIOD_MS,
      children: [
        childSpec({ id: 'listener', logic: listening(parts, port), backoff: BACKOFF }),
        childSpec({ id: 'pruner', logic: pruning(parts.app), backoff: BACKOFF }),
      ],
    },
    { clock, ...(logger === undefined ? {} : { logger }) },
  );
  let stopped: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await tree.stop();
    await parts.listener()?.close();
    store.close();
  };
  const stop = (): Promise<void> => (stopped ??= end());
  // A tree that gave up must not leave a port behind that nobody watches over.
  const ended = tree.ended.then(async (reason) => {
    await stop();
    return reason;
  });
  return {
    url: `http://${inUrl(host)}:${port}`,
    port,
    counts: () => store.counts(),
    refusals: () => counters.refusals,
    metrics: () => counters.text(),
    describe: () => tree.describe(),
    ended,
    stop,
  };
}

/** Watches over the port that is open, and opens it anew after it was lost. */
const listening = (parts: Parts, port: number) => {
  let isFirst = true;
  return fromPromise<void>(async ({ signal }) => {
    const found = isFirst ? parts.listener() : undefined;
    isFirst = false;
    const listener = found ?? (await parts.listen(port));
    await Promise.race([listener.closed, aborted(signal)]);
    if (!signal.aborted) throw new Error(`The port ${port} was closed.`);
  });
};

/** Expired messages, in portions, so that nobody waits for long. */
const pruning = ({ store, limits, clock }: RelayAppOptions) =>
  fromPromise<void>(async ({ signal }) => {
    while (!signal.aborted) {
      const removed = await store.prune(clock.now(), limits.pruneBatchMax);
      if (removed < limits.pruneBatchMax) await pause(clock, limits.pruneIntervalMs, signal);
    }
  });

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}

async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.setTimeout(resolve, delayMs);
  await Promise.race([promise, aborted(signal)]);
  clock.clearTimeout(timer);
}
