/** The pages and the REST side of the inspector. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { CodedError } from '../../../machines/kernel/coded-error.ts';
import { RECORDING_BYTES_MAX } from '../recording/bounds.ts';
import type { Json } from '../ui/wire.types.ts';
import { answered, refuse, refused } from './answers.ts';
import type { Env } from './answers.ts';
import { isOwnHost, isOwnOrigin } from './gate.ts';
import type { Gate } from './gate.ts';
import type { Question } from './link.types.ts';
import { page } from './page.ts';
import type { Answer } from './questions.ts';
import type { Recordings } from './recordings.ts';
import type { Rows } from './rows.ts';

export interface AppOptions {
  readonly gate: Gate;
  readonly pageDir: string;
  readonly canSend: boolean;
  readonly rows: Rows;
  readonly recordings: Recordings;
  readonly ask: (question: Question) => Promise<Answer>;
}

const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Bytes of the JSON of a change. */
const BODY_BYTES_MAX = 4_096;

const rollbackBody = z.strictObject({ generation: z.int().min(1).optional() });

/** Serves the built page, and the same data as REST. */
export function createApp(options: AppOptions): Hono<Env> {
  const app = new Hono<Env>();
  admit(app, options.gate);
  look(app, options);
  change(app, options);
  app.all('/api/*', (context) => refuse(context, 'MESH_ERR_INSPECT_UNKNOWN', 'No such thing.'));
  app.get('*', (context) => page(context, options.pageDir));
  return app;
}

/** Who may come in, and what a browser may make of the answers. */
export function admit(app: Hono<Env>, gate: Gate): void {
  app.use(async (context, next) => {
    const port = context.env.incoming.socket.localPort ?? 0;
    const { req } = context;
    if (!isOwnHost(req.header('host'), port))
      return refuse(context, 'MESH_ERR_INSPECT_HOST', 'The Host is not this server.');
    const given = req.query('token');
    if (given !== undefined) return redeem(context, gate, given);
    if (!gate.isKnown(req.header('cookie')))
      return refuse(context, 'MESH_ERR_INSPECT_TOKEN', 'Open the address that was printed.');
    if (req.method !== 'GET' && !isOwnOrigin(req.header('origin'), port))
      return refuse(context, 'MESH_ERR_INSPECT_ORIGIN', 'The Origin is not this server.');
    await next();
    context.header('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    context.header('X-Content-Type-Options', 'nosniff');
    context.header('Referrer-Policy', 'no-referrer');
    context.header('Cache-Control', 'no-store');
    return undefined;
  });
}

/** Asks the tree, or the recording that the address names. */
const asker =
  ({ ask, recordings }: AppOptions) =>
  async (context: Context<Env>, question: Question): Promise<Answer> => {
    const id = context.req.query('recording');
    const replay = recordings.get(id);
    if (replay) return { type: 'body', body: (await replay.answer(question)) as Json | undefined };
    return id === undefined ? ask(question) : { type: 'body', body: undefined };
  };

function look(app: Hono<Env>, options: AppOptions): void {
  const ask = asker(options);
  const { rows } = options;
  app.get('/api/tree', async (context) => {
    const asked = await ask(context, { what: 'tree' });
    return context.json(asked.type === 'body' ? asked.body : rows.actors());
  });
  app.get('/api/log.jsonl', async (context) => {
    const lines = linesOf(await ask(context, { what: 'log' }), rows);
    return context.body(`${lines.join('\n')}\n`, 200, { 'Content-Type': 'application/x-ndjson' });
  });
  app.get('/api/machines', (context) => answered(context, ask(context, { what: 'machines' })));
  app.get('/api/machines/:key', (context) =>
    answered(context, ask(context, { what: 'machine', key: context.req.param('key') })),
  );
  app.get('/api/machines/:key/coverage', (context) =>
    answered(context, ask(context, { what: 'coverage', key: context.req.param('key') })),
  );
  app.get('/api/actors/:path{.+}', (context) =>
    answered(context, ask(context, { what: 'actor', path: context.req.param('path') })),
  );
  for (const view of ['workloads', 'mesh', 'messages'] as const)
    app.get(`/api/${view}`, (context) => answered(context, ask(context, { what: 'view', view })));
}

function change(app: Hono<Env>, { ask, canSend, recordings }: AppOptions): void {
  app.post('/api/recordings', async (context) => {
    const bytes = lengthOf(context);
    if (!(bytes <= RECORDING_BYTES_MAX))
      return refuse(
        context,
        'MESH_ERR_INSPECT_RECORDING',
        `A recording of ${bytes} bytes is none.`,
      );
    try {
      return context.json(recordings.open(await context.req.text()), 201);
    } catch (error) {
      if (error instanceof CodedError) return refused(context, error.toJSON());
      throw error;
    }
  });
  app.post('/api/workloads/:app/rollback', async (context) => {
    if (!canSend)
      return refuse(context, 'MESH_ERR_INSPECT_READ_ONLY', 'Start it with --allow-send.');
    const body = rollbackBody.safeParse(await smallJson(context));
    if (!body.success)
      return refuse(
        context,
        'MESH_ERR_INSPECT_REQUEST',
        'The body is no generation to go back to.',
      );
    const generation = body.data.generation ?? null;
    return answered(context, ask({ what: 'rollback', app: context.req.param('app'), generation }));
  });
}

/** As it was announced, beyond which nothing is read; no number where it was not. */
const lengthOf = (context: Context<Env>): number =>
  Number(context.req.header('content-length') ?? Number.NaN);

/** Undefined where it is no JSON, or too much of it; an empty body is an empty object. */
async function smallJson(context: Context<Env>): Promise<unknown> {
  if (!(lengthOf(context) <= BODY_BYTES_MAX)) return undefined;
  const text = await context.req.text();
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    // No JSON: refused, which is what the answer says.
    return undefined;
  }
}

/** Back to the same page, without the token in the address. */
function redeem(context: Context<Env>, gate: Gate, token: string): Response {
  const cookie = gate.redeem(token);
  if (cookie === undefined && !gate.isKnown(context.req.header('cookie')))
    return refuse(context, 'MESH_ERR_INSPECT_TOKEN', 'This token is wrong, or was used.');
  if (cookie !== undefined) context.header('Set-Cookie', cookie);
  return context.redirect('/', 303);
}

const linesOf = (asked: Answer, rows: Rows): string[] =>
  (asked.type === 'body' && Array.isArray(asked.body) ? asked.body : rows.log()).map((row) =>
    JSON.stringify(row),
  );
