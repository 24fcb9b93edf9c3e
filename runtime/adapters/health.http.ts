import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Socket, connect } from 'node:net';
import type {
  HealthProbe,
  ProbeRequest,
  ProbeResult,
} from '../../actors/workload/ports/process.ts';
import { isIdentityFault } from '../edge/upstream-tls.ts';
import type { UpstreamTls } from '../edge/upstream-tls.ts';
import type { Clock, TimerId } from '../../machines/kernel/clock.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';

/** More of a body than this is not waited for. */
export const HEALTH_BODY_BYTES_MAX = 64 * 1024;
const HEALTH_HEADER_BYTES_MAX = 16 * 1024;
/** Between two connects to a port where nobody listens yet, as a share of the wait until then. */
const CONNECT_PAUSE_SHARE = 0.02;
const CONNECT_PAUSE_MS_MAX = 10;

const REFUSED = 'connection refused';
const NO_IDENTITY = new Error('the edge has no valid mesh certificate to show');

const failed = (message: string, status: number | null = null): ProbeResult => ({
  ok: false,
  status,
  message,
});
/** Nothing was found out of the service itself. */
const unproved = (message: string, fault: 'own_identity' | 'identity'): ProbeResult => ({
  ok: false,
  status: null,
  message,
  fault,
});

export interface HealthProbeOptions {
  readonly clock: Clock;
  /** For services that speak TLS; without it they are not healthy. */
  readonly tls?: UpstreamTls | undefined;
}

/**
 * Probes over HTTP/1.1 on 127.0.0.1, each on a connection of its own, so that a probe never passes
 * for an earlier one. Only status 200 with a finished body (or HEALTH_BODY_BYTES_MAX of one) counts;
 * redirects are failures.
 */
export function createHealthProbe({ clock, tls }: HealthProbeOptions): HealthProbe {
  return {
    probe: (request, signal) =>
      new Promise<ProbeResult>((resolve, reject) => {
        signal.throwIfAborted();
        const attempt = new Attempt(request, { clock, tls }, (result) => {
          signal.removeEventListener('abort', abort);
          resolve(result);
        });
        const abort = (): void => {
          attempt.abandon();
          reject(signal.reason as Error);
        };
        signal.addEventListener('abort', abort, { once: true });
      }),
  };
}

/** One probe: connects, again while it is refused and may wait, and concludes once. */
class Attempt {
  readonly #probe: ProbeRequest;
  readonly #clock: Clock;
  readonly #tls: UpstreamTls | undefined;
  readonly #onResult: (result: ProbeResult) => void;
  readonly #startedAtMs: number;
  readonly #deadline: TimerId;
  #retry: TimerId = null;
  #socket: Socket;
  #status: number | null = null;
  /** Since the last refusal nobody accepted a connection. */
  #isRefused = false;
  #isOver = false;

  constructor(
    probe: ProbeRequest,
    { clock, tls }: HealthProbeOptions,
    onResult: (result: ProbeResult) => void,
  ) {
    this.#probe = probe;
    this.#tls = tls;
    this.#clock = clock;
    this.#onResult = onResult;
    this.#startedAtMs = clock.monotonicNow();
    this.#deadline = clock.setTimeout(() => this.#expire(), probe.timeoutMs);
    this.#socket = this.#connect();
  }

  abandon(): void {
    this.#isOver = true;
    this.#clock.clearTimeout(this.#deadline);
    this.#clock.clearTimeout(this.#retry);
    this.#socket.destroy();
  }

  #expire(): void {
    // That nobody listened says more than that time ran out.
    if (this.#isRefused) this.#conclude(failed(REFUSED));
    else this.#conclude(tooLate(this.#status, this.#probe.timeoutMs));
  }

  #conclude(result: ProbeResult): void {
    if (this.#isOver) return;
    this.abandon();
    this.#onResult(result);
  }

  /** The bare connection first: most of them are refused, and cost a tenth of a request. */
  #connect(): Socket {
    const { port, tlsApp } = this.#probe;
    if (tlsApp !== undefined) return this.#connectTls(tlsApp);
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', (error) => this.#refused(error));
    socket.once('connect', () => {
      this.#isRefused = false;
      this.#send(socket);
    });
    return socket;
  }

  /** As the edge does, so that what passes a probe will get requests. */
  #connectTls(app: string): Socket {
    const { port } = this.#probe;
    const target = { instance: app, app, host: '127.0.0.1', port };
    const socket = this.#tls?.connect(target) ?? new Socket().destroy(NO_IDENTITY);
    socket.once('error', (error) => {
      if (error === NO_IDENTITY) this.#conclude(unproved(error.message, 'own_identity'));
      else if (isIdentityFault(socket, error))
        this.#conclude(unproved(connectionMessageOf(error), 'identity'));
      else this.#refused(error);
    });
    socket.once('connect', () => (this.#isRefused = false));
    socket.once('secureConnect', () => this.#send(socket));
    return socket;
  }

  #send(socket: Socket): void {
    const { port, path } = this.#probe;
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      // With an agent, even one of its own, the connection that is there would not be used.
      createConnection: () => socket,
      maxHeaderSize: HEALTH_HEADER_BYTES_MAX,
      headers: { accept: '*/*', connection: 'close', 'user-agent': 'mesh-health' },
    });
    request.on('error', (error) => this.#conclude(failed(connectionMessageOf(error))));
    request.on('upgrade', () => this.#conclude(failed('HTTP 101', 101)));
    request.on('response', (response) => this.#answered(response));
    request.end();
  }

  #refused(error: Error): void {
    if (this.#isOver) return;
    const { connectWithinMs = 0 } = this.#probe;
    const waitedMs = this.#clock.monotonicNow() - this.#startedAtMs;
    if (codeOf(error) !== 'ECONNREFUSED' || waitedMs >= connectWithinMs)
      return this.#conclude(failed(connectionMessageOf(error)));
    const pauseMs = Math.min(CONNECT_PAUSE_MS_MAX, Math.max(1, waitedMs * CONNECT_PAUSE_SHARE));
    this.#isRefused = true;
    this.#retry = this.#clock.setTimeout(() => (this.#socket = this.#connect()), pauseMs);
  }

  #answered(response: IncomingMessage): void {
    const { statusCode = 0 } = response;
    this.#status = statusCode;
    if (statusCode !== 200) return this.#conclude(failed(`HTTP ${statusCode}`, statusCode));
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > HEALTH_BODY_BYTES_MAX) this.#conclude({ ok: true, status: 200 });
    });
    response.on('end', () => this.#conclude({ ok: true, status: 200 }));
    response.on('error', () => this.#conclude(failed('HTTP 200, and the body was cut off', 200)));
  }
}

function tooLate(status: number | null, timeoutMs: number): ProbeResult {
  return status === null
    ? failed(`no answer within ${timeoutMs} ms`)
    : failed(`HTTP ${status}, and the body did not end within ${timeoutMs} ms`, status);
}

function connectionMessageOf(error: Error): string {
  const code = codeOf(error);
  if (code === 'ECONNREFUSED') return REFUSED;
  if (code?.startsWith('MESH_ERR_')) return error.message;
  if (code === 'ECONNRESET') return 'connection reset before an answer';
  return code === undefined ? error.message : `no valid answer (${code})`;
}
