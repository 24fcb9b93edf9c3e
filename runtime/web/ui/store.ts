/** What the page knows and what it shows of it, as signals; the parts draw themselves from them. */
import { batch, computed, signal } from '@preact/signals';
import type { Chart } from '../../charts/chart.ts';
import type { Layout } from '../../charts/layout.types.ts';
import { filterOf } from './filter.ts';
import { PINS_MAX, hashOf, routeOf } from './route.ts';
import type { Route } from './route.ts';
import { childrenOf, treeRows } from './tree-rows.ts';
import type { CoverageView, RecordingInfo, Views } from './views.types.ts';
import type { ActorDetails, ActorRow, LogRow, MachineRow } from './wire.types.ts';

export interface DrawnChart {
  readonly chart: Chart;
  readonly layout: Layout;
}

/** Everything that moves by itself. */
export interface Scene {
  readonly actors: ReadonlyMap<string, ActorRow>;
  readonly log: readonly LogRow[];
  readonly details: ActorDetails | null;
}

export interface Notice {
  readonly text: string;
  readonly isBad: boolean;
}

export const isLive = signal(false);
export const title = signal('mesh');
export const canSend = signal(false);
export const notice = signal<Notice | null>(null);
export const recording = signal<RecordingInfo | null>(null);
export const liveActors = signal<Scene['actors']>(new Map());
export const liveLog = signal<Scene['log']>([]);
export const liveDetails = signal<Scene['details']>(null);
/** What is looked at while the view is held. */
export const frozen = signal<Scene | null>(null);
export const charts = signal<ReadonlyMap<string, DrawnChart>>(new Map());
export const machines = signal<readonly MachineRow[] | null>(null);
export const coverages = signal<ReadonlyMap<string, CoverageView>>(new Map());
export const views = signal<Partial<Views>>({});
export const closed = signal<ReadonlySet<string>>(new Set());
/** Size of the chart; null for the one that fits best. */
export const zoom = signal<number | null>(null);
export const isHelpOpen = signal(false);
export const lowerTab = signal<'log' | 'sequence'>('log');
export const route = signal<Route>(routeOf(location.hash));
/** The present time, to the second: ages are told from it. */
export const now = signal(Date.now());

export const isHeld = computed(() => frozen.value !== null);
export const actors = computed(() => (frozen.value ?? { actors: liveActors.value }).actors);
export const log = computed(() => (frozen.value ?? { log: liveLog.value }).log);
/** A held view shows an actor as it was then, and one that is chosen later as it is. */
export const details = computed(() =>
  frozen.value?.details?.path === route.value.subject ? frozen.value.details : liveDetails.value,
);

export const filterTest = computed(() =>
  route.value.filter === '' ? undefined : filterOf(route.value.filter),
);
export const children = computed(() => childrenOf(actors.value));
export const rows = computed(() => treeRows(children.value, closed.value, filterTest.value));
/** Whether the address names a moment that is not the newest. */
export const isPast = computed(() => route.value.at !== null);
/** The step that is looked at; undefined is now. */
export const step = computed(() => (isPast.value ? shownStep.value : undefined));
/** The step whose outcome is shown: the newest one, where no other is looked at. */
export const shownStep = computed(() => {
  const steps = details.value?.steps ?? [];
  const { at } = route.value;
  if (at === null) return steps.at(-1);
  // The moment of a recording may be one in which somebody else moved.
  return recording.value
    ? steps.findLast(({ seq }) => seq <= at)
    : steps.find(({ seq }) => seq === at);
});
/** Numbers of the log lines that the address can name as a moment. */
export const moments = computed(() => new Set(details.value?.steps.map(({ seq }) => seq)));
/** The time that is shown, which ages are told from. */
export const shownAtMs = computed(() => {
  const told = recording.value;
  if (!told) return now.value;
  const { at } = route.value;
  return at === null ? told.endedAtMs : (log.value.find(({ seq }) => seq >= at)?.atMs ?? now.value);
});

/** A step is one actor's, a moment of a recording is everybody's. */
const momentElsewhere = (): number | null => (recording.value ? route.value.at : null);

/** By name; those that nobody stands in come last. */
export const machineRows = computed(() =>
  machines.value?.toSorted(
    (a, b) => Number(b.actors > 0) - Number(a.actors > 0) || (a.key < b.key ? -1 : 1),
  ),
);
/** The one that is looked at: the first where none was chosen. */
export const chosenMachine = computed(
  () => machineRows.value?.find(({ key }) => key === route.value.subject) ?? machineRows.value?.[0],
);

/** Goes to another view; the address says which. */
export function go(change: Partial<Route>): void {
  const next = { ...route.value, ...change };
  const isElse = next.subject !== route.value.subject || next.page !== route.value.page;
  if (isElse && !('at' in change)) Object.assign(next, { at: momentElsewhere() });
  // Another subject is a place to come back to; a step or a letter of a filter is not.
  history[isElse ? 'pushState' : 'replaceState'](null, '', hashOf(next));
  route.value = next;
}

/** The address of a page, with what is looked at kept where it means something there. */
export const linkTo = (page: Route['page'], subject: string | null = null): string =>
  hashOf({ ...route.value, page, subject, at: momentElsewhere(), filter: '' });

export function select(path: string): void {
  if (route.value.subject === path && route.value.page === 'actors') return;
  batch(() => {
    liveDetails.value = null;
    zoom.value = null;
    go({ page: 'actors', subject: path });
  });
}

export function toggle(path: string): void {
  const next = new Set(closed.value);
  if (!next.delete(path)) next.add(path);
  closed.value = next;
}

/** Holds everything as it is, or lets it go on. */
export function hold(): void {
  frozen.value = frozen.value
    ? null
    : { actors: liveActors.value, log: liveLog.value, details: liveDetails.value };
}

/** Into the sequence diagram, or out of it; the oldest gives way to a fourth. */
export function pin(path: string): void {
  const { pins } = route.value;
  const next = pins.includes(path)
    ? pins.filter((one) => one !== path)
    : [...pins, path].slice(-PINS_MAX);
  batch(() => {
    go({ pins: next });
    if (next.length > pins.length) lowerTab.value = 'sequence';
  });
}

/** Long enough to be read twice; a bad one stays until it is dismissed. */
const NOTICE_MS = 8_000;

export function say(text: string, isBad = false): void {
  const said: Notice = { text, isBad };
  notice.value = said;
  if (isBad) return;
  setTimeout(() => {
    if (notice.value === said) notice.value = null;
  }, NOTICE_MS);
}
