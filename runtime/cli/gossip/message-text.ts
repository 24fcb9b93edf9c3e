/** The text of a message from the command line or from stdin, and what goes with it. */
import { buffer } from 'node:stream/consumers';
import { BODY_BYTES_MAX, TTL_SECONDS_MAX } from '../../../machines/gossip/limits.ts';
import { peerError } from '../../gossip/errors.ts';
import type { PostRequest } from '../../gossip/peer/peer-control.ts';
import type { Invocation } from '../command.ts';
import { cliError } from '../errors.ts';
import { count, text } from '../option-values.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What `mesh msg post` and `send` were given. MESH_ERR_CLI_USAGE, MESH_ERR_PEER_MESSAGE. */
export async function messageRequest(invocation: Invocation): Promise<PostRequest> {
  const { args, options } = invocation;
  const ttlSeconds = count(invocation, 'ttl', { min: 1, max: TTL_SECONDS_MAX });
  const replyTo = text(options['replyTo']);
  if (replyTo !== undefined && !/^[0-9a-f]{64}$/.test(replyTo))
    throw cliError('MESH_ERR_CLI_USAGE', `--reply-to takes an id of 64 hex digits.`);
  const said = args['text'] ?? '';
  return {
    text: said === '-' ? await fromStdin() : said,
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    ...(replyTo === undefined ? {} : { replyTo }),
  };
}

async function fromStdin(): Promise<string> {
  const refused = (found: string, cause?: unknown): Error =>
    peerError('MESH_ERR_PEER_MESSAGE', `Posting what stdin gives: ${found}.`, { cause });
  const bytes = await buffer(limited(process.stdin));
  if (bytes.length > BODY_BYTES_MAX) throw refused(`it is over ${BODY_BYTES_MAX} bytes`);
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw refused('it is not UTF-8', cause);
  }
}

/** As much as is allowed and a little more, which says that it is too much. */
async function* limited(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of source) {
    yield chunk;
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return;
  }
}
