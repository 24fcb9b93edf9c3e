/** One request and its answer, as the server of the control socket sees them. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CodedError, codeOf } from '../../machines/kernel/coded-error.ts';
import type { ErrorJson } from '../../machines/kernel/coded-error.ts';
import { controlError } from './errors.ts';
import { BODY_BYTES_MAX } from './wire.ts';

/** The JSON object of a request; an empty body is an empty object. */
export async function readBody(
  request: IncomingMessage,
  bytesMax = BODY_BYTES_MAX,
): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax)
      throw controlError(
        'MESH_ERR_CONTROL_BODY_TOO_LARGE',
        `The body of ${String(request.method)} ${String(request.url)} is over ${String(bytesMax)} bytes.`,
      );
    chunks.push(chunk);
  }
  if (bytes === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch (cause) {
    throw controlError(
      'MESH_ERR_CONTROL_INVALID_REQUEST',
      `The body of ${String(request.method)} ${String(request.url)} is not JSON.`,
      { cause },
    );
  }
}

export function answerValue(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

/** Any error as the protocol says it; in the middle of a stream, as its last line. */
export function answerError(response: ServerResponse, error: unknown): void {
  const body = `${JSON.stringify({ error: errorJson(error) })}\n`;
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) {
    response.end(body);
    return;
  }
  // The rest of a request that was refused is not read, so its connection ends here.
  const head = { 'content-type': 'application/json', connection: 'close' };
  response.writeHead(statusOf(codeOf(error)), head);
  response.end(body);
}

/** One line a value until the source ends, the reader leaves, or the server closes. */
export async function answerStream(
  response: ServerResponse,
  ended: AbortSignal,
  open: (signal: AbortSignal) => AsyncIterable<unknown>,
): Promise<void> {
  const left = new AbortController();
  response.once('close', () => {
    left.abort();
  });
  const signal = AbortSignal.any([left.signal, ended]);
  try {
    for await (const value of open(signal)) {
      if (signal.aborted) break;
      if (!response.headersSent)
        response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      if (!response.write(`${JSON.stringify(value)}\n`)) await once(response, 'drain', { signal });
    }
  } catch (error) {
    // Nobody is left to be told of a stream that its reader gave up.
    if (left.signal.aborted) return;
    if (!ended.aborted) throw error;
  }
  if (ended.aborted) {
    // Cut off, not ended: the reader must not take this for the end of a deployment.
    response.destroy();
    return;
  }
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.end();
}

function errorJson(error: unknown): ErrorJson {
  if (error instanceof CodedError) return error.toJSON();
  const message = error instanceof Error ? error.message : String(error);
  return controlError('MESH_ERR_CONTROL_INTERNAL', `The mesh failed: ${message}`).toJSON();
}

/** For readers other than `mesh` itself, which looks at the code. */
function statusOf(code: string | undefined): number {
  if (code === undefined || code === 'MESH_ERR_CONTROL_INTERNAL') return 500;
  if (code === 'MESH_ERR_CONTROL_INVALID_REQUEST') return 400;
  if (code === 'MESH_ERR_CONTROL_BODY_TOO_LARGE') return 413;
  if (/_(UNKNOWN_APP|UNKNOWN_ROUTE|NOT_FOUND)$/.test(code)) return 404;
  if (code.endsWith('_TIMED_OUT')) return 504;
  return 409;
}
