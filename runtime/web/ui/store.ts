/** What the page knows, as signals; the parts draw themselves from it. */
import { batch, computed, signal } from '@preact/signals';
import type { Chart } from '../../charts/chart.ts';
import type { Layout } from '../../charts/layout.types.ts';
import { filterOf } from './filter.ts';
import { hashOf, routeOf } from './route.ts';
import type { Route } from './route.ts';
import { childrenOf, treeRows } from './tree-rows.ts';
import type {
  ActorDetails,
  ActorRow,
  ClientMessage,
  LogRow,
  MachineRow,
  ServerMessage,
} from './wire.types.ts';

/** Lines that the page keeps; the server has no more either. */
const LOG_ROWS_MAX = 20_000;
const RECONNECT_MS = 1_000;

export interface DrawnChart {
  readonly chart: Chart;
  readonly layout: Layout;
}

export const isLive = signal(false);
export const title = signal('mesh inspect');
export const canSend = signal(false);
export const notice = signal('');
export const actors = signal<ReadonlyMap<string, ActorRow>>(new Map());
export const log = signal<readonly LogRow[]>([]);
export const details = signal<ActorDetails | null>(null);
export const charts = signal<ReadonlyMap<string, DrawnChart>>(new Map());
export const machines = signal<readonly MachineRow[]>([]);
export const closed = signal<ReadonlySet<string>>(new Set());
export const isHeld = signal(false);
export const route = signal<Route>(routeOf(location.hash));

export const filterTest = computed(() =>
  route.value.filter === '' ? undefined : filterOf(route.value.filter),
);
export const rows = computed(() =>
  treeRows(childrenOf(actors.value), closed.value, filterTest.value),
);
/** The step that is looked at; undefined is now. */
export const step = computed(() =>
  route.value.at === null
    ? undefined
    : details.value?.steps.find(({ seq }) => seq === route.value.at),
);

let socket: WebSocket | undefined;
let cursor = 0;

/** Goes to another view; the address says which. */
export function go(change: Partial<Route>): void {
  const next = { ...route.value, ...change };
  if ('subject' in change && change.subject !== route.value.subject && !('at' in change))
    Object.assign(next, { at: null });
  history.replaceState(null, '', hashOf(next));
  show(next);
}

function show(next: Route): void {
  const before = route.value;
  route.value = next;
  if (next.page === 'machines') void loadMachines();
  if (next.page === 'actors' && (next.subject !== before.subject || before.page !== 'actors'))
    watch();
}

export function select(path: string): void {
  if (route.value.subject === path && route.value.page === 'actors') return;
  details.value = null;
  go({ page: 'actors', subject: path });
}

export function toggle(path: string): void {
  const next = new Set(closed.value);
  if (!next.delete(path)) next.add(path);
  closed.value = next;
}

export function send(path: string, type: string): void {
  say({ type: 'send', path, event: { type } });
}

function say(message: ClientMessage): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function watch(): void {
  const { page, subject } = route.value;
  say({ type: 'watch', path: page === 'actors' ? subject : null });
}

/** Opens the stream, and opens it again whenever it breaks, from where it was. */
export function connect(): void {
  addEventListener('hashchange', () => show(routeOf(location.hash)));
  if (route.value.page === 'machines') void loadMachines();
  open();
}

function open(): void {
  const opened = new WebSocket(`ws://${location.host}/live`);
  socket = opened;
  opened.addEventListener('open', () => {
    isLive.value = true;
    say({ type: 'resume', cursor });
    watch();
  });
  opened.addEventListener('message', ({ data }) =>
    hear(JSON.parse(data as string) as ServerMessage),
  );
  opened.addEventListener('close', () => {
    isLive.value = false;
    setTimeout(open, RECONNECT_MS);
  });
}

function hear(message: ServerMessage): void {
  switch (message.type) {
    case 'all':
      batch(() => {
        title.value = message.title;
        canSend.value = message.canSend;
        actors.value = new Map(message.actors.map((row) => [row.path, row]));
        log.value = message.log;
        cursor = message.cursor;
      });
      return;
    case 'delta':
      batch(() => takeDelta(message));
      return;
    case 'details':
      if (message.details.path === route.value.subject) takeDetails(message.details);
      return;
    case 'absent':
      if (message.path === route.value.subject) details.value = null;
      return;
    case 'sent':
      notice.value = message.ok
        ? `${message.event} was sent to ${message.path}`
        : `Nobody took ${message.event} at ${message.path}`;
      return;
    case 'refused':
      notice.value = message.message;
  }
}

function takeDelta(delta: Extract<ServerMessage, { type: 'delta' }>): void {
  cursor = delta.cursor;
  if (delta.actors.length > 0 || delta.gone.length > 0) {
    const next = new Map(actors.value);
    for (const row of delta.actors) next.set(row.path, row);
    for (const path of delta.gone) next.delete(path);
    actors.value = next;
  }
  if (delta.log.length > 0) log.value = [...log.value, ...delta.log].slice(-LOG_ROWS_MAX);
}

function takeDetails(next: ActorDetails): void {
  details.value = next;
  if (next.machine !== null) void loadChart(next.machine);
}

/** One layout for each definition; changes of state only change classes. */
export async function loadChart(key: string): Promise<void> {
  if (charts.value.has(key)) return;
  const drawn = await fetchJson<DrawnChart>(`/api/machines/${encodeURIComponent(key)}`);
  if (drawn) charts.value = new Map([...charts.value, [key, drawn]]);
}

async function loadMachines(): Promise<void> {
  machines.value = (await fetchJson<MachineRow[]>('/api/machines')) ?? machines.value;
}

async function fetchJson<Body>(path: string): Promise<Body | undefined> {
  const response = await fetch(path);
  if (response.ok) return (await response.json()) as Body;
  notice.value = `${path}: ${response.status} ${response.statusText}`;
  return undefined;
}
