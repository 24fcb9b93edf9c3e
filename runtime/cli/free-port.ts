import { once } from 'node:events';
import { createServer } from 'node:net';
import { codeOf } from '../../machines/kernel/coded-error.ts';

/** How many ports above the wanted one are tried. */
const TRIES = 100;

/** That port of 127.0.0.1 or the next free one; where none is, 0, which means any. */
export async function freePort(wanted: number): Promise<number> {
  if (wanted === 0) return 0;
  for (let port = wanted; port < Math.min(wanted + TRIES, 65_536); port++)
    if (await isFree(port)) return port;
  return 0;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EACCES') return false;
    throw error;
  }
  const closed = once(server, 'close');
  server.close();
  await closed;
  return true;
}
