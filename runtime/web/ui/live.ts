/** The stream from the server, opened again whenever it breaks. */
import { batch, effect } from '@preact/signals';
import { loadChart, loadMachines, ofRecording } from './ask.ts';
import {
  canSend,
  go,
  isLive,
  liveActors,
  liveDetails,
  liveLog,
  now,
  recording,
  route,
  say,
  title,
  views,
} from './store.ts';
import { routeOf } from './route.ts';
import type { ViewName } from './views.types.ts';
import type { ClientMessage, Json, ServerMessage } from './wire.types.ts';

/** Lines that the page keeps; the server has no more either. */
const LOG_ROWS_MAX = 20_000;
const RECONNECT_MS = 1_000;
/** Close code of a stream that gives way to that of a recording, or back. */
const REPLACED = 4_000;
/** Counts of machines are asked for, not told. */
const MACHINES_PERIOD_MS = 2_000;
const FOLLOWED: readonly string[] = ['workloads', 'mesh', 'messages'] satisfies ViewName[];

let socket: WebSocket | undefined;
let cursor = 0;
let followed: ViewName | null = null;

/** Starts everything that this page hears. */
export function connect(): void {
  addEventListener('hashchange', () => (route.value = routeOf(location.hash)));
  addEventListener('popstate', () => (route.value = routeOf(location.hash)));
  setInterval(() => (now.value = Date.now()), 1_000);
  setInterval(() => route.value.page === 'machines' && void loadMachines(), MACHINES_PERIOD_MS);
  let known: string | null | undefined;
  effect(() => {
    const { recording: wanted } = route.value;
    if (wanted === known) return;
    known = wanted;
    cursor = 0;
    if (socket === undefined) open();
    // Its end opens the other one.
    else socket.close(REPLACED);
  });
  effect(tellWatched);
  effect(tellFollowed);
  effect(tellMoment);
  effect(() => {
    document.title = `${title.value} · ${route.value.subject ?? route.value.page}`;
  });
  effect(() => {
    if (route.value.page === 'machines') void loadMachines();
  });
}

function open(): void {
  const opened = new WebSocket(`ws://${location.host}/live${ofRecording()}`);
  const { recording: id } = route.peek();
  let isOpened = false;
  socket = opened;
  opened.addEventListener('open', () => {
    isOpened = true;
    isLive.value = true;
    tell({ type: 'resume', cursor });
    tellWatched();
    tellFollowed();
  });
  opened.addEventListener('message', ({ data }) =>
    hear(JSON.parse(data as string) as ServerMessage),
  );
  opened.addEventListener('close', ({ code }) => {
    isLive.value = false;
    if (!isOpened && id !== null) {
      say('That recording is not kept any more. Open it again.', true);
      go({ recording: null, at: null });
    }
    setTimeout(open, code === REPLACED ? 0 : RECONNECT_MS);
  });
}

function tell(message: ClientMessage): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function tellWatched(): void {
  const { page, subject } = route.value;
  tell({ type: 'watch', path: page === 'actors' ? subject : null });
}

function tellFollowed(): void {
  const { page } = route.value;
  const view = FOLLOWED.includes(page) ? (page as ViewName) : null;
  if (view !== null || followed !== null) tell({ type: 'follow', view });
  followed = view;
}

/** Asks that an actor be sent an event; the answer is a notice. */
export function send(path: string, event: { type: string; [key: string]: Json }): void {
  tell({ type: 'send', path, event });
}

/** In a recording, the step in the address is a moment of everything. */
function tellMoment(): void {
  if (recording.value) tell({ type: 'at', seq: route.value.at });
}

function hear(message: ServerMessage): void {
  switch (message.type) {
    case 'all':
      takeAll(message);
      return;
    case 'delta':
      batch(() => takeDelta(message));
      return;
    case 'details':
      if (message.details.path !== route.value.subject) return;
      liveDetails.value = message.details;
      if (message.details.machine !== null) void loadChart(message.details.machine);
      return;
    case 'absent':
      if (message.path === route.value.subject) liveDetails.value = null;
      return;
    case 'view':
      views.value = { ...views.value, [message.view]: message.body };
      return;
    case 'sent':
      if (message.ok) say(`${message.event} was sent to ${message.path}`);
      else say(`Nobody took ${message.event} at ${message.path}`, true);
      return;
    case 'refused':
      say(`${message.message} (${message.code})`, true);
  }
}

function takeAll(message: Extract<ServerMessage, { type: 'all' }>): void {
  batch(() => {
    title.value = message.title;
    canSend.value = message.canSend;
    recording.value = message.recording ?? null;
    liveActors.value = new Map(message.actors.map((row) => [row.path, row]));
    liveLog.value = message.log;
    cursor = message.cursor;
  });
}

function takeDelta(delta: Extract<ServerMessage, { type: 'delta' }>): void {
  cursor = delta.cursor;
  if (delta.actors.length > 0 || delta.gone.length > 0) {
    const next = new Map(liveActors.value);
    for (const row of delta.actors) next.set(row.path, row);
    for (const path of delta.gone) next.delete(path);
    liveActors.value = next;
  }
  if (delta.log.length > 0) liveLog.value = [...liveLog.value, ...delta.log].slice(-LOG_ROWS_MAX);
}
