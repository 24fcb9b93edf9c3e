/** A small tree with its inspector, and what a page or a stranger would do at its port. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMachine } from 'xstate';
import { WebSocket } from 'ws';
import { startTree } from '../../../runtime/start-tree.ts';
import { startInspector } from '../../../runtime/web/inspector.ts';
import type { InspectorOptions } from '../../../runtime/web/inspector.ts';
import type { InspectorSources } from '../../../runtime/web/session.ts';
import type { ServerMessage } from '../../../runtime/web/ui/wire.types.ts';

export const doorMachine = createMachine({
  id: 'door',
  initial: 'closed',
  states: { closed: { on: { open: 'open' } }, open: { on: { close: 'closed' } } },
});

const WAIT_MS = 10_000;

/** A page that is there at once; the real one is looked at in a browser. */
export async function plainPage(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'page-'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><div id="page"></div>');
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

/** `house/door` and whoever looks at it. */
export async function inspectorWorld(
  options: InspectorOptions = {},
  sources: InspectorSources = {},
) {
  const page = await plainPage();
  const tree = await startTree({
    id: 'house',
    type: 'supervisor',
    children: [{ id: 'door', logic: doorMachine }],
  });
  const inspector = await startInspector(tree, { pageDir: page.folder, ...options }, sources);
  const base = `http://127.0.0.1:${inspector.port}`;
  const enter = async (): Promise<string> => {
    const response = await fetch(inspector.invite(), { redirect: 'manual' });
    return response.headers.get('set-cookie')?.split(';')[0] ?? '';
  };
  return {
    tree,
    inspector,
    base,
    pageDir: page.folder,
    join: enter,
    get: async (path: string, cookie: string) => fetch(`${base}${path}`, { headers: { cookie } }),
    post: async (path: string, cookie: string, body: unknown, headers = {}) =>
      fetch(`${base}${path}`, {
        method: 'POST',
        headers: { cookie, ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    [Symbol.asyncDispose]: async () => {
      await inspector.close();
      await tree.stop();
      await page[Symbol.asyncDispose]();
    },
  };
}

/** The status that an upgrade is answered with; 101 when it is let in. */
export function upgrade(
  port: number,
  headers: Record<string, string>,
  path = '/live',
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    path,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': Buffer.alloc(16, 1).toString('base64'),
      ...headers,
    },
  });
  request.once('error', reject);
  request.once('response', (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  });
  request.once('upgrade', (_, socket) => {
    socket.destroy();
    resolve(101);
  });
  request.end();
  return promise;
}

/** A page's end of the stream. */
export async function viewer(port: number, cookie: string, path = '/live') {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { cookie } });
  const seen: ServerMessage[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data) => {
    seen.push(JSON.parse((data as Buffer).toString('utf8')) as ServerMessage);
    for (const look of waiting) look();
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return {
    seen,
    say: (message: unknown) => socket.send(JSON.stringify(message)),
    raw: (text: string) => socket.send(text),
    closed: new Promise<number>((resolve) => void socket.once('close', resolve)),
    first: <Found extends ServerMessage>(test: (message: ServerMessage) => message is Found) => {
      const { promise, resolve, reject } = Promise.withResolvers<Found>();
      const timer = setTimeout(() => reject(new Error(`Not seen: ${test.toString()}`)), WAIT_MS);
      const look = (): void => {
        const found = seen.find(test);
        if (found === undefined) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      return promise;
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}

/** Of that type, and passing the test. */
export const is =
  <Type extends ServerMessage['type']>(
    type: Type,
    test: (message: Extract<ServerMessage, { type: Type }>) => boolean = () => true,
  ) =>
  (message: ServerMessage): message is Extract<ServerMessage, { type: Type }> =>
    message.type === type && test(message as Extract<ServerMessage, { type: Type }>);
