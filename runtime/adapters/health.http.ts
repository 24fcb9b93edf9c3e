import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { HealthProbe, ProbeResult } from '../../actors/workload/ports/process.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';

/** More of a body than this is not waited for. */
export const HEALTH_BODY_BYTES_MAX = 64 * 1024;
const HEALTH_HEADER_BYTES_MAX = 16 * 1024;

const failed = (message: string, status: number | null = null): ProbeResult => ({
  ok: false,
  status,
  message,
});

/**
 * Probes over HTTP/1.1 on 127.0.0.1, each on a connection of its own, so that a probe never passes
 * for an earlier one. Only status 200 with a finished body (or HEALTH_BODY_BYTES_MAX of one) counts;
 * redirects are failures.
 */
export function createHealthProbe({ clock }: { readonly clock: Clock }): HealthProbe {
  return {
    probe: ({ port, path, timeoutMs }, signal) =>
      new Promise<ProbeResult>((resolve, reject) => {
        signal.throwIfAborted();
        const request = httpRequest({
          host: '127.0.0.1',
          port,
          path,
          agent: false,
          maxHeaderSize: HEALTH_HEADER_BYTES_MAX,
          headers: { accept: '*/*', connection: 'close', 'user-agent': 'mesh-health' },
        });
        let status: number | null = null;
        const end = (settle: () => void): void => {
          clock.clearTimeout(timer);
          signal.removeEventListener('abort', abort);
          request.destroy();
          settle();
        };
        const conclude = (result: ProbeResult): void => end(() => resolve(result));
        const abort = (): void => end(() => reject(signal.reason as Error));
        const timer = clock.setTimeout(() => conclude(tooLate(status, timeoutMs)), timeoutMs);
        signal.addEventListener('abort', abort, { once: true });
        listen(request, conclude, (seen) => (status = seen));
        request.end();
      }),
  };
}

function tooLate(status: number | null, timeoutMs: number): ProbeResult {
  return status === null
    ? failed(`no answer within ${timeoutMs} ms`)
    : failed(`HTTP ${status}, and the body did not end within ${timeoutMs} ms`, status);
}

/** Concludes as often as anything happens; a promise takes the first. */
function listen(
  request: ClientRequest,
  conclude: (result: ProbeResult) => void,
  onStatus: (status: number) => void,
): void {
  request.on('error', (error) => conclude(failed(connectionMessageOf(error))));
  request.on('upgrade', () => conclude(failed('HTTP 101', 101)));
  let hasAnswer = false;
  request.on('close', () => {
    if (!hasAnswer) conclude(failed('connection closed before an answer'));
  });
  request.on('response', (response) => {
    hasAnswer = true;
    const { statusCode = 0 } = response;
    onStatus(statusCode);
    if (statusCode === 200) drain(response, conclude);
    else conclude(failed(`HTTP ${statusCode}`, statusCode));
  });
}

function drain(response: IncomingMessage, conclude: (result: ProbeResult) => void): void {
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > HEALTH_BODY_BYTES_MAX) conclude({ ok: true, status: 200 });
  });
  response.on('end', () => conclude({ ok: true, status: 200 }));
  response.on('error', () => conclude(failed('HTTP 200, and the body was cut off', 200)));
}

function connectionMessageOf(error: Error): string {
  const code = codeOf(error);
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ECONNRESET') return 'connection reset before an answer';
  return code === undefined ? error.message : `no valid answer (${code})`;
}
