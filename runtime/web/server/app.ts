/** The pages and the REST side of the inspector. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { Readable } from 'node:stream';
import { Hono } from 'hono';
import type { Context } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import { isOwnHost } from './gate.ts';
import type { Gate } from './gate.ts';
import type { Question } from './link.types.ts';
import type { Answer } from './questions.ts';
import type { Rows } from './rows.ts';

export interface AppOptions {
  readonly gate: Gate;
  readonly pageDir: string;
  readonly rows: Rows;
  readonly ask: (question: Question) => Promise<Answer>;
}

const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

type Env = { Bindings: HttpBindings };

/** Serves the built page, and the same data as REST. */
export function createApp({ gate, pageDir, rows, ask }: AppOptions): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async (context, next) => {
    const { socket } = context.env.incoming;
    if (!isOwnHost(context.req.header('host'), socket.localPort ?? 0))
      return context.json(refusal('MESH_ERR_INSPECT_HOST', 'The Host is not this server.'), 403);
    const given = context.req.query('token');
    if (given !== undefined) return redeem(context, gate, given);
    if (!gate.isKnown(context.req.header('cookie')))
      return context.json(
        refusal('MESH_ERR_INSPECT_TOKEN', 'Open the address that was printed.'),
        401,
      );
    await next();
    context.header('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    context.header('X-Content-Type-Options', 'nosniff');
    context.header('Referrer-Policy', 'no-referrer');
    context.header('Cache-Control', 'no-store');
    return undefined;
  });
  app.get('/api/tree', async (context) => {
    const asked = await ask({ what: 'tree' });
    return context.json(asked.type === 'body' ? asked.body : rows.actors());
  });
  app.get('/api/log.jsonl', async (context) => {
    const asked = await ask({ what: 'log' });
    const lines = linesOf(asked, rows);
    return context.body(`${lines.join('\n')}\n`, 200, { 'Content-Type': 'application/x-ndjson' });
  });
  app.get('/api/machines', (context) => answer(context, ask({ what: 'machines' })));
  app.get('/api/machines/:key', (context) =>
    answer(context, ask({ what: 'machine', key: context.req.param('key') })),
  );
  app.get('/api/actors/:path{.+}', (context) =>
    answer(context, ask({ what: 'actor', path: context.req.param('path') })),
  );
  app.all('/api/*', (context) =>
    context.json(refusal('MESH_ERR_INSPECT_UNKNOWN', 'No such thing.'), 404),
  );
  app.get('*', (context) => page(context, pageDir));
  return app;
}

const refusal = (code: string, message: string) => ({ error: { code, message } });

/** Back to the same page, without the token in the address. */
function redeem(context: Context<Env>, gate: Gate, token: string): Response {
  const cookie = gate.redeem(token);
  if (cookie === undefined && !gate.isKnown(context.req.header('cookie')))
    return context.json(
      refusal('MESH_ERR_INSPECT_TOKEN', 'This token is wrong, or was used.'),
      401,
    );
  if (cookie !== undefined) context.header('Set-Cookie', cookie);
  return context.redirect('/', 303);
}

const linesOf = (asked: Answer, rows: Rows): string[] =>
  (asked.type === 'body' && Array.isArray(asked.body) ? asked.body : rows.log()).map((row) =>
    JSON.stringify(row),
  );

async function answer(context: Context<Env>, asked: Promise<Answer>): Promise<Response> {
  const given = await asked;
  if (given.type === 'busy')
    return context.json(refusal('MESH_ERR_INSPECT_BUSY', 'The runtime does not answer.'), 503);
  return given.body === undefined
    ? context.json(refusal('MESH_ERR_INSPECT_UNKNOWN', 'No such thing.'), 404)
    : context.json(given.body);
}

/** A file of the built page, and the page itself for every other path. */
async function page(context: Context<Env>, pageDir: string): Promise<Response> {
  const wanted = join(pageDir, normalize(context.req.path));
  const path = (await isFile(wanted)) ? wanted : join(pageDir, 'index.html');
  const type = TYPES[extname(path)] ?? 'application/octet-stream';
  const body = Readable.toWeb(createReadStream(path)) as ReadableStream;
  return context.body(body, 200, { 'Content-Type': type });
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    // Not there: the page of the application answers.
    return false;
  }
}
