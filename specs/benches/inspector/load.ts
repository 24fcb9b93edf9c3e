/**
 * A program with 10,000 actors, with or without somebody who looks: `node load.ts WHO`. It says
 * `{"port"…}` once they run, and takes lines: `pace RATE` sends so many events a second from then on,
 * `flat COUNT` sends so many as fast as they are handled, waits until who looks was told, and
 * answers `{"cpuSeconds"…}`.
 */
import { createWebSocketInspector } from '@statelyai/inspect';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { createActor, setup } from 'xstate';
import type { InspectionEvent, Observer } from 'xstate';
import { startTree } from '../../../runtime/start-tree.ts';
import { startInspector } from '../../../runtime/web/inspector.ts';
import { dynamicPath } from '../../../supervisor/index.ts';

/** What each of the contenders holds. */
export const ACTORS = 10_000;
/** Sends between two looks at the clock. */
const TICK_MS = 10;
/** Sends before the other side of a socket gets its turn. */
const SLICE = 1_000;
/** The package's own server keeps as many for who comes late. */
const HUB_BUFFER = 200;
/** Between two looks whether everything was told. */
const QUIET_MS = 300;

/** One of `WHO`. */
export type Who = 'ours' | 'nobody' | 'stately' | 'xstate';

/** Says where it is, and takes events. */
interface Loaded {
  readonly url: string;
  /** Resolves when whoever looks was told of everything. */
  quiet(): Promise<void>;
  send(index: number): void;
}

let handled = 0;

const plantMachine = setup({
  types: {} as { context: { grown: number } },
  actions: { count: () => void handled++ },
}).createMachine({
  id: 'plant',
  context: { grown: 0 },
  initial: 'dry',
  states: {
    dry: { on: { water: { target: 'wet', actions: 'count' } } },
    wet: { on: { water: { target: 'dry', actions: 'count' } } },
  },
});

async function ours(isShown: boolean): Promise<Loaded> {
  const tree = await startTree({
    id: 'garden',
    type: 'supervisor',
    children: [{ id: 'bed', type: 'supervisor', children: [] }],
  });
  for (let index = 0; index < ACTORS; index++)
    await tree.startChild('garden/bed', { id: `plant-${index}`, logic: plantMachine });
  const inspector = isShown ? await startInspector(tree) : undefined;
  const paths = Array.from({ length: ACTORS }, (_, index) =>
    dynamicPath(`garden/bed/plant-${index}`),
  );
  return {
    url: inspector?.invite() ?? '',
    // What is new is told ten times a second.
    quiet: () => pause(isShown ? QUIET_MS : 0),
    send: (index) => void tree.send(paths[index] ?? paths[0]!, { type: 'water' }),
  };
}

interface Hub {
  readonly port: number;
  /** Resolves when every actor and every event that was handled has passed. */
  quiet(): Promise<void>;
}

/**
 * As the package's own server does it: everything to everybody, and the last 200 to who comes late. It
 * stands here because that one listens on every interface.
 */
function hub(): Promise<Hub> {
  const { promise, resolve } = Promise.withResolvers<Hub>();
  const buffer: string[] = [];
  const heard = { actors: 0, events: 0 };
  // Each actor has handled one event, that of its start.
  const quiet = async (): Promise<void> => {
    while (heard.actors < ACTORS || heard.events < ACTORS + handled) await pause(QUIET_MS);
  };
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () => {
    resolve({ port: (server.address() as { port: number }).port, quiet });
  });
  server.on('connection', (socket) => {
    for (const message of buffer) socket.send(message);
    socket.on('message', (data) => {
      const message = (data as Buffer).toString();
      if (message.includes('"type":"@xstate.actor"')) heard.actors++;
      if (message.includes('"type":"@xstate.event"')) heard.events++;
      buffer.push(message);
      if (buffer.length > HUB_BUFFER) buffer.shift();
      for (const client of server.clients)
        if (client !== socket && client.readyState === WebSocket.OPEN) client.send(message);
    });
  });
  return promise;
}

async function xstate(isShown: boolean): Promise<Loaded> {
  let inspect: Observer<InspectionEvent> | undefined;
  const between = isShown ? await hub() : undefined;
  const url = between === undefined ? '' : `ws://127.0.0.1:${between.port}`;
  if (between) {
    ({ inspect } = createWebSocketInspector({ url }));
    // It must be connected before the actors start: it holds back 200 of their events.
    await pause(QUIET_MS);
  }
  const actors = Array.from({ length: ACTORS }, () =>
    createActor(plantMachine, inspect ? { inspect } : {}).start(),
  );
  await between?.quiet();
  return {
    url,
    quiet: async () => between?.quiet(),
    send: (index) => actors[index]?.send({ type: 'water' }),
  };
}

const MAKERS: Readonly<Record<Who, () => Promise<Loaded>>> = {
  ours: () => ours(true),
  nobody: () => ours(false),
  stately: () => xstate(true),
  xstate: () => xstate(false),
};

const tell = (fact: object): void => void process.stdout.write(`${JSON.stringify(fact)}\n`);
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function flat(loaded: Loaded, count: number): Promise<void> {
  const from = handled;
  const before = process.cpuUsage();
  for (let sent = 0; sent < count; sent += SLICE) {
    for (let index = sent; index < sent + SLICE; index++) loaded.send(index % ACTORS);
    while (handled - from < sent + SLICE) await turn();
  }
  await loaded.quiet();
  const { user, system } = process.cpuUsage(before);
  tell({ cpuSeconds: (user + system) / 1e6 });
}

function pace(loaded: Loaded, rate: number): void {
  let [sent, startedMs] = [0, performance.now()];
  setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) * rate) / 1_000);
    // What a busy second could not send is not sent later.
    if (due - sent > rate) [sent, startedMs] = [0, performance.now()];
    for (; sent < due; sent++) loaded.send((sent * 7) % ACTORS);
  }, TICK_MS);
}

if (import.meta.main) {
  const loaded = await MAKERS[process.argv[2] as Who]();
  tell({ url: loaded.url });
  for await (const line of createInterface(process.stdin)) {
    const [command, value] = line.split(' ');
    if (command === 'flat') await flat(loaded, Number(value));
    if (command === 'pace') pace(loaded, Number(value));
  }
  process.exit();
}
