/** A program of `load.ts`, and whoever looks at it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import type { Who } from './load.ts';

const PROGRAM = fileURLToPath(new URL('load.ts', import.meta.url));

export interface Program extends AsyncDisposable {
  readonly url: string;
  say(line: string): void;
  /** What so many events take, sent as fast as they are handled, until who looks was told of them. */
  cpuSeconds(count: number): Promise<number>;
}

/** Resolves when its actors run. */
export async function startProgram(who: Who): Promise<Program> {
  const child = spawn(process.execPath, [PROGRAM, who], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async <Fact>(): Promise<Fact> => {
    const { value, done } = await lines.next();
    if (done === true)
      throw new Error(`The program of ${who} ended: ${child.exitCode ?? child.signalCode}.`);
    return JSON.parse(value) as Fact;
  };
  const { url } = await next<{ url: string }>();
  const say = (line: string): void => void child.stdin.write(`${line}\n`);
  return {
    url,
    say,
    cpuSeconds: async (count) => {
      say(`flat ${count}`);
      return (await next<{ cpuSeconds: number }>()).cpuSeconds;
    },
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** What somebody was told. */
export interface Seen extends Disposable {
  readonly actors: ReadonlySet<string>;
  readonly events: number;
}

interface Told {
  readonly actors?: readonly { readonly path: string }[];
  readonly log?: readonly { readonly kind: string }[];
  readonly type: string;
  readonly sessionId?: string;
}

class Watching implements Seen {
  readonly actors = new Set<string>();
  events = 0;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#take(JSON.parse((data as Buffer).toString()) as Told));
  }

  #take({ type, actors, log, sessionId }: Told): void {
    if (type === '@xstate.actor' && sessionId !== undefined) this.actors.add(sessionId);
    if (type === '@xstate.event') this.events++;
    for (const { path } of actors ?? []) this.actors.add(path);
    if (type === 'delta') this.events += log?.filter(({ kind }) => kind === 'event').length ?? 0;
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }
}

/** Somebody who comes now: to our page's stream, or to a receiver's. */
export async function watch(who: 'ours' | 'stately', url: string): Promise<Seen> {
  const socket = who === 'ours' ? await live(url) : new WebSocket(url);
  const watching = new Watching(socket);
  await once(socket, 'open');
  if (who === 'ours') socket.send(JSON.stringify({ type: 'resume', cursor: 0 }));
  return watching;
}

/** The token is changed for the cookie first, as a browser does. */
async function live(url: string): Promise<WebSocket> {
  const response = await fetch(url, { redirect: 'manual' });
  const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
  return new WebSocket(`ws://${new URL(url).host}/live`, { headers: { cookie } });
}
