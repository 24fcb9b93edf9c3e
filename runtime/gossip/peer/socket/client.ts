import { CodedError } from '../../../../machines/kernel/coded-error.ts';
import {
  badResponse,
  disconnected,
  errorIn,
  parse,
  sendTo,
  valueIn,
} from '../../../control/call.ts';
import { controlError } from '../../../control/errors.ts';
import { ANSWER_BYTES_MAX } from '../../../control/wire.ts';
import type { RunningPeer } from '../peer-control.ts';
import { ANSWER_TIMEOUT_MS, pathOf } from './wire.ts';
import type { PeerOperation } from './wire.ts';

/** Over the deadline of the server, whose answer says more. */
const MARGIN_MS = 2_000;

/**
 * The peer that a program runs, over its control socket; each call is a connection of its own. Beside
 * the codes of `RunningPeer`, every method rejects with MESH_ERR_CONTROL_UNREACHABLE, _TIMED_OUT,
 * _DISCONNECTED or _BAD_RESPONSE.
 */
export function connectPeer(socket: string): RunningPeer {
  const call = <Value>(operation: PeerOperation, body: unknown = {}) =>
    ask<Value>(socket, operation, body);
  return {
    info: () => call('info'),
    peers: () => call('peers'),
    addPeer: (peer) => call('add', peer),
    removePeer: (who) => call('remove', { who }),
    post: (request) => call('post', request),
    send: (request) => call('send', request),
    messages: (query = {}) => call('messages', query),
    deadLetters: () => call('deadLetters'),
    feed: (options = {}) => call('feed', options),
    tail: (after, signal) => stream(socket, 'tail', { after }, signal),
    sync: (request, signal) => stream(socket, 'sync', request, signal),
  };
}

async function ask<Value>(socket: string, operation: PeerOperation, body: unknown): Promise<Value> {
  const deadline = AbortSignal.timeout(ANSWER_TIMEOUT_MS + MARGIN_MS);
  try {
    const target = { operation, method: 'POST', path: pathOf(operation) };
    const response = await sendTo(socket, target, body, deadline);
    return (await valueIn(response, operation)) as Value;
  } catch (cause) {
    if (!deadline.aborted) throw cause;
    throw controlError(
      'MESH_ERR_CONTROL_TIMED_OUT',
      `The peer at ${socket} did not answer ${operation} within ${ANSWER_TIMEOUT_MS} ms.`,
      { cause },
    );
  }
}

async function* stream<Value>(
  socket: string,
  operation: PeerOperation,
  body: unknown,
  signal: AbortSignal | undefined,
): AsyncGenerator<Value> {
  const target = { operation, method: 'POST', path: pathOf(operation) };
  const response = await sendTo(socket, target, body, signal);
  if (response.statusCode !== 200) throw await errorIn(response, operation);
  response.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of response as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > ANSWER_BYTES_MAX) throw badResponse(operation, 'a line without end');
      for (const line of lines) yield valueOf(line, operation) as Value;
    }
  } catch (cause) {
    throw disconnected(cause, operation);
  }
}

function valueOf(line: string, operation: PeerOperation): unknown {
  const value = parse(line, operation);
  if (typeof value === 'object' && value !== null && 'error' in value)
    throw CodedError.fromJSON(value.error);
  return value;
}
