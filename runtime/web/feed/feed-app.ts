/** The page and the REST side of the feed. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { messageIdSchema } from '../../../machines/gossip/envelope.schema.ts';
import { BODY_BYTES_MAX } from '../../../machines/gossip/limits.ts';
import { CodedError } from '../../../machines/kernel/coded-error.ts';
import type { RunningPeer } from '../../gossip/peer/peer-control.ts';
import { admit } from '../server/app.ts';
import { refuse, refused } from '../server/answers.ts';
import type { Env } from '../server/answers.ts';
import type { Gate } from '../server/gate.ts';
import { page } from '../server/page.ts';
import type { FeedPeer } from '../ui/feed/wire.types.ts';

/** What a feed shows, and posts as. */
export type FeedSource = Pick<RunningPeer, 'info' | 'messages' | 'post' | 'tail'>;

export interface FeedAppOptions {
  readonly source: FeedSource;
  readonly gate: Gate;
  readonly pageDir: string;
}

/** Messages of one answer. */
const PAGE = 200;
/** A text of 64 KiB whose every character is escaped, and the rest. */
const REQUEST_BYTES_MAX = 6 * BODY_BYTES_MAX + 1_024;

const postBody = z.strictObject({
  text: z.string().min(1).max(BODY_BYTES_MAX),
  replyTo: messageIdSchema.exactOptional(),
});

export function createFeedApp({ source, gate, pageDir }: FeedAppOptions): Hono<Env> {
  const app = new Hono<Env>();
  admit(app, gate);
  app.get('/api/peer', async (context) => {
    const { peerId, publicKey, meshId, relay } = await source.info();
    return context.json({ peerId, publicKey, meshId, relay } satisfies FeedPeer);
  });
  app.get('/api/messages', async (context) => {
    const after = Number(context.req.query('after') ?? Number.NaN);
    const query = Number.isSafeInteger(after) && after >= 0 ? { after } : {};
    return context.json(await source.messages({ ...query, limit: PAGE }));
  });
  app.post('/api/messages', (context) => post(context, source));
  app.all('/api/*', (context) => refuse(context, 'MESH_ERR_INSPECT_UNKNOWN', 'No such thing.'));
  app.get('*', (context) => page(context, pageDir));
  app.onError((error, context) => {
    if (error instanceof CodedError) return refused(context, error.toJSON());
    throw error;
  });
  return app;
}

async function post(context: Context<Env>, source: FeedSource): Promise<Response> {
  const length = Number(context.req.header('content-length') ?? Number.NaN);
  const isJson = context.req.header('content-type')?.split(';')[0] === 'application/json';
  const text = length <= REQUEST_BYTES_MAX && isJson ? await context.req.text() : '';
  const body = postBody.safeParse(jsonIn(text));
  if (!body.success)
    return refuse(context, 'MESH_ERR_INSPECT_REQUEST', 'The body is no message to post.');
  return context.json(await source.post(body.data), 201);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON: refused, which is what the answer says.
    return undefined;
  }
}
