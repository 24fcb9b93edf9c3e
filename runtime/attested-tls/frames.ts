/**
 * Frames between the TLS handshake and the first byte of HTTP/2:
 *
 *     type 1 ‖ length 4, big-endian ‖ payload
 *
 *     1 hello      version 1 (1) ‖ nonce 32
 *     2 evidence   length of the OID 1 ‖ OID, dotted ASCII ‖ evidence
 *     3 accepted   nothing
 *     4 refused    error code, ASCII
 *
 * A `refused` may come instead of any other. Bytes after the last frame are left in the socket, for
 * whoever reads it next. Version history: 1 is the first.
 */
import type { TLSSocket } from 'node:tls';
import { transportError } from './errors.ts';
import { CODE_BYTES_MAX, FRAME_BYTES_MAX, NONCE_BYTES } from './limits.ts';

const TYPES = { hello: 1, evidence: 2, accepted: 3, refused: 4 } as const;
export type FrameType = keyof typeof TYPES;

const HEADER_BYTES = 5;
const PAYLOAD_BYTES_MAX: Readonly<Record<number, number>> = {
  [TYPES.hello]: 1 + NONCE_BYTES,
  [TYPES.evidence]: FRAME_BYTES_MAX,
  [TYPES.accepted]: 0,
  [TYPES.refused]: CODE_BYTES_MAX,
};
const CODE = /^[A-Z][A-Z0-9_]{2,63}$/;
const EVENTS = ['readable', 'end', 'close', 'error'] as const;

/** One frame's bytes. */
export function encodeFrame(type: FrameType, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt8(TYPES[type]);
  frame.writeUInt32BE(payload.length, 1);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/**
 * Writes, and resolves when the socket has taken it all. Await it before the socket is handed on:
 * HTTP/2 takes over the native handle, and a write that ends under it aborts the process.
 */
export async function writeLastFrame(
  socket: TLSSocket,
  frame: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  socket.write(frame, (cause) => {
    if (cause) reject(closedError(cause));
    else resolve();
  });
  try {
    signal.throwIfAborted();
    await promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * The next frame's payload. It is never read beyond its own end, and never allocated beyond what
 * its type may have. MESH_ERR_TRANSPORT_FRAME, _CLOSED, _PEER_REFUSED; the signal's reason.
 */
export async function readFrame(
  socket: TLSSocket,
  type: FrameType,
  signal: AbortSignal,
): Promise<Buffer> {
  const header = await readBytes(socket, HEADER_BYTES, signal);
  const found = header.readUInt8();
  const length = header.readUInt32BE(1);
  if (found !== TYPES[type] && found !== TYPES.refused)
    throw frameError(`type ${found} came, ${type} is due`);
  if (length > (PAYLOAD_BYTES_MAX[found] ?? 0))
    throw frameError(`${length} bytes are more than a frame of type ${found} may have`);
  const payload = length === 0 ? Buffer.alloc(0) : await readBytes(socket, length, signal);
  if (found !== TYPES.refused) return payload;
  const code = payload.toString('latin1');
  throw transportError(
    'MESH_ERR_TRANSPORT_PEER_REFUSED',
    `Attesting a connection: the other end refused with ${CODE.test(code) ? code : 'no code'}.`,
    { details: { code: CODE.test(code) ? code : null } },
  );
}

/** Exactly that many bytes, in paused mode: what follows them is not touched. */
async function readBytes(socket: TLSSocket, count: number, signal: AbortSignal): Promise<Buffer> {
  for (;;) {
    signal.throwIfAborted();
    const bytes = socket.read(count) as Buffer | null;
    if (bytes?.length === count) return bytes;
    // At its end a stream gives what is left, however little.
    if (bytes !== null || socket.readableEnded || socket.destroyed) throw closedError();
    await readable(socket, signal);
  }
}

/** Resolves when there may be more to read, or nothing will come any more. */
async function readable(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  for (const event of EVENTS) socket.on(event, wake);
  signal.addEventListener('abort', wake, { once: true });
  try {
    await promise;
  } finally {
    for (const event of EVENTS) socket.off(event, wake);
    signal.removeEventListener('abort', wake);
  }
}

const frameError = (found: string): Error =>
  transportError('MESH_ERR_TRANSPORT_FRAME', `Reading a frame: ${found}.`);

function closedError(cause?: Error): Error {
  const found = 'Attesting a connection: the other end closed it.';
  return transportError('MESH_ERR_TRANSPORT_CLOSED', found, { cause });
}
