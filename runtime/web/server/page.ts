import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { Readable } from 'node:stream';
import type { Context } from 'hono';
import type { Env } from './answers.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** A file of the built page, and the page itself for every other path. */
export async function page(context: Context<Env>, pageDir: string): Promise<Response> {
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
