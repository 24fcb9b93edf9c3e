/**
 * The HTTP side of a relay.
 *
 *     POST /envelopes               one envelope a line        202 and one result a line, in order
 *     GET  /inbox/PEER?max=&wait=   leases what waits          200 and one message a line
 *     POST /inbox/PEER/ack          {"leases":[…]}             200 {"acknowledged":n}
 *     GET  /inbox/PEER/headers      what waits, without bodies 200 and one header a line
 *     GET  /inbox/PEER/wake         a WebSocket that says when to look
 *     GET  /livez, /metrics         unsigned
 *
 * A refusal is `{"code","message","hint","retryable"}`. Lines are JSON without a line feed in them,
 * so a broken one is one broken line.
 */
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { relayError } from '../../machines/gossip/relay-errors.ts';
import type { RelayStore } from '../adapters/relay-store.sqlite.ts';
import { Admission } from './admission.ts';
import type { Admitted } from './admission.ts';
import type { RelayCounters } from './counters.ts';
import type { RelayLimits } from './limits.ts';
import type { PostOffice } from './post-office.ts';
import { requestBodyHash } from './request-proof.ts';
import { statusOf } from './status.ts';
import type { Wakes } from './wakes.ts';

type Env = { Bindings: HttpBindings };
type RelayContext = Context<Env>;

export interface RelayAppOptions {
  readonly admission: Admission;
  readonly office: PostOffice;
  readonly store: RelayStore;
  readonly wakes: Wakes;
  readonly counters: RelayCounters;
  readonly limits: RelayLimits;
  readonly clock: Clock;
}

const INBOX = '/inbox/:peer{[0-9a-f]{64}}';
const LINES = { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' };
const LINE_FEED = 0x0a;

export function createRelayApp(options: RelayAppOptions): Hono<Env> {
  const { counters } = options;
  const app = new Hono<Env>();
  app.use(async (context, next) => {
    await next();
    counters.answered(context.res.status);
  });
  app.get('/livez', (context) => context.text('ok\n'));
  app.get('/metrics', async (context) => context.text(await counters.text()));
  routes(app, options);
  app.notFound((context) => {
    const path = context.req.path.slice(0, 200);
    const error = relayError(
      'MESH_ERR_RELAY_NOT_FOUND',
      `There is no ${context.req.method} ${path}.`,
    );
    return refuse(context, error, counters);
  });
  app.onError((error, context) => refuse(context, error, counters));
  return app;
}

function routes(app: Hono<Env>, options: RelayAppOptions): void {
  const { admission, office, store, counters, limits } = options;
  const reader = new BodyReader(limits);
  const admit = (context: RelayContext): Admitted =>
    admission.admit({
      method: context.req.method,
      path: context.env.incoming.url ?? '',
      authorization: context.req.header('authorization'),
    });
  const own = (context: RelayContext): string =>
    Admission.own(admit(context), context.req.param('peer') ?? '');

  app.post('/envelopes', async (context) => {
    const sender = admit(context);
    const lines = linesOf(await reader.read(context, sender));
    if (lines.length > limits.batchMax)
      throw badRequest(`${lines.length} envelopes, at most ${limits.batchMax} may be`);
    admission.takeEnvelopes(sender, lines.length);
    const results = await office.post(sender, lines);
    return context.body(asLines(results.map((one) => JSON.stringify(one))), 202, LINES);
  });
  app.get(INBOX, async (context) => {
    const peer = own(context);
    const asked = leaseQuery(context, limits);
    const leased = await leaseOrWait(options, peer, asked, context.req.raw.signal);
    counters.delivered(leased.length);
    return context.body(asLines(leased.map(leasedLine)), 200, LINES);
  });
  app.get(`${INBOX}/headers`, (context) => {
    const headers = store.headers(own(context), limits.leaseMax);
    return context.body(asLines(headers.map((one) => JSON.stringify(one))), 200, LINES);
  });
  app.post(`${INBOX}/ack`, async (context) => {
    const admitted = admit(context);
    const peer = Admission.own(admitted, context.req.param('peer') ?? '');
    const leases = leasesIn(await reader.read(context, admitted), limits);
    const acknowledged = await store.ack(peer, leases);
    counters.acknowledged(acknowledged);
    return context.json({ acknowledged });
  });
}

const asLines = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

const leasedLine = (mail: ReturnType<RelayStore['lease']>[number]): string =>
  `{"lease":${JSON.stringify(mail.lease)},"sender_key":"${mail.senderKey}","envelope":${mail.text}}`;

/** Non-empty lines, as they are. */
function linesOf(body: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < body.length;) {
    const found = body.indexOf(LINE_FEED, from);
    const to = found === -1 ? body.length : found;
    if (to > from) lines.push(body.subarray(from, to));
    from = to + 1;
  }
  return lines;
}

const badRequest = (found: string): CodedError =>
  relayError('MESH_ERR_RELAY_REQUEST', `Reading a request: ${found}.`);

const query = z.strictObject({
  max: z.coerce.number().int().min(1).exactOptional(),
  wait: z.coerce.number().int().min(0).exactOptional(),
});

interface LeaseQuery {
  readonly max: number;
  readonly waitMs: number;
}

function leaseQuery(context: RelayContext, limits: RelayLimits): LeaseQuery {
  const parsed = query.safeParse(context.req.query());
  if (!parsed.success) throw badRequest('its query is not max=NUMBER&wait=MILLISECONDS');
  const { max = limits.leaseMax, wait = 0 } = parsed.data;
  return { max: Math.min(max, limits.leaseMax), waitMs: Math.min(wait, limits.waitMaxMs) };
}

async function leaseOrWait(
  { store, wakes, limits, clock }: RelayAppOptions,
  peer: string,
  { max, waitMs }: LeaseQuery,
  signal: AbortSignal,
): Promise<ReturnType<RelayStore['lease']>> {
  const { leaseBytesMax: bytesMax, leaseMs } = limits;
  const lease = () => store.lease(peer, { max, bytesMax, leaseMs, nowMs: clock.now() });
  const leased = lease();
  if (leased.length > 0 || waitMs === 0) return leased;
  return (await wakes.wait(peer, waitMs, signal)) ? lease() : [];
}

const ackBody = z.strictObject({ leases: z.array(z.string().max(32)) });

function leasesIn(body: Uint8Array, limits: RelayLimits): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString());
  } catch (cause) {
    throw relayError('MESH_ERR_RELAY_REQUEST', 'Reading an acknowledgement: it is no JSON.', {
      cause,
    });
  }
  const parsed = ackBody.safeParse(value);
  if (!parsed.success || parsed.data.leases.length > limits.acksMax)
    throw badRequest(`it is not {"leases":[…]} with at most ${limits.acksMax} of them`);
  return parsed.data.leases;
}

/** Reads bodies whose length and hash are known beforehand, and no more of them at once than fit. */
class BodyReader {
  readonly #limits: RelayLimits;
  #reading = 0;

  constructor(limits: RelayLimits) {
    this.#limits = limits;
  }

  async read(context: RelayContext, { bodyHash }: Admitted): Promise<Uint8Array> {
    const length = this.#lengthOf(context.req.header('content-length'));
    const { readingBytesMax } = this.#limits;
    if (this.#reading + length > readingBytesMax)
      throw relayError(
        'MESH_ERR_RELAY_BUSY',
        `Reading a body: ${this.#reading} octets are on the way.`,
      );
    this.#reading += length;
    try {
      const body = new Uint8Array(await context.req.raw.arrayBuffer());
      if (requestBodyHash(body) === bodyHash) return body;
      throw relayError(
        'MESH_ERR_RELAY_PROOF',
        'Reading a body: it is not the one that was signed.',
      );
    } finally {
      this.#reading -= length;
    }
  }

  #lengthOf(field: string | undefined): number {
    if (field === undefined || !/^[0-9]{1,15}$/.test(field)) throw badRequest('it has no length');
    const length = Number(field);
    const { bodyBytesMax } = this.#limits;
    if (length <= bodyBytesMax) return length;
    throw relayError(
      'MESH_ERR_RELAY_TOO_LARGE',
      `Reading a body: it has ${length} octets, at most ${bodyBytesMax} may be.`,
    );
  }
}

function refuse(context: RelayContext, error: unknown, counters: RelayCounters): Response {
  // The body of a refused request is not read, so the connection cannot be used again.
  context.header('connection', 'close');
  if (!(error instanceof CodedError)) {
    counters.refused('MESH_ERR_KERNEL_UNKNOWN');
    return context.json({ code: 'MESH_ERR_KERNEL_UNKNOWN', message: 'A fault of the relay.' }, 500);
  }
  counters.refused(error.code);
  if (error.retryAfterMs !== undefined)
    context.header('retry-after', String(Math.ceil(error.retryAfterMs / 1000)));
  const { cause: _, ...said } = error.toJSON();
  // Where its file lies is the operator's to know.
  if (error.code.startsWith('MESH_ERR_RELAY_STORE_'))
    said.message = 'The inboxes cannot be used now.';
  return context.json(said, statusOf(error) as ContentfulStatusCode);
}
