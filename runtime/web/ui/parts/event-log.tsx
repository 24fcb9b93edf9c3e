import { useEffect, useMemo, useState } from 'preact/hooks';
import {
  actors,
  details,
  go,
  isHeld,
  linkTo,
  log,
  lowerTab,
  moments,
  recording,
  route,
} from '../store.ts';
import { logFilterOf } from '../filter.ts';
import { clock, counted, lineText, nameOf, shortPath } from '../names.ts';
import type { LogKind, LogRow } from '../wire.types.ts';
import { Empty } from './empty.tsx';
import { save } from './chart/exports.tsx';
import { useFiltered } from './filtered.ts';
import { Icon } from './icon.tsx';
import { OpenRecording } from './open-recording.tsx';
import { RecordingScrubber } from './scrubber.tsx';
import { Sequence } from './sequence.tsx';
import { useWindow } from './window.ts';

const ROW_HEIGHT = 24;

/** A shape for each kind, so that colour is not the only sign. */
const SIGNS: Readonly<Record<LogKind, string>> = {
  event: '→',
  start: '▸',
  restart: '↻',
  stop: '■',
  crash: '✕',
  lost: '⚠',
  timer: '◷',
  audit: '✎',
};

/** What people call the one at that path; where it is too deep to be known by that, with its parent. */
const called = (path: string): string => {
  const row = actors.peek().get(path);
  const above = path.split('/').at(-2);
  if (row?.label !== undefined && above !== undefined) return `${above}/${nameOf(row)}`;
  return shortPath(path);
};

/** Where the moment of a line can be looked at, its time leads there. */
function Time({ row: { seq, atMs, path } }: { readonly row: LogRow }) {
  const isOwn = path === details.value?.path && moments.value.has(seq);
  if (!recording.value && !isOwn) return <>{clock(atMs)}</>;
  return (
    <button type="button" class="link" title="As it was then" onClick={() => go({ at: seq })}>
      {clock(atMs)}
    </button>
  );
}

function Line({ row, place }: { readonly row: LogRow; readonly place: number }) {
  const isThen =
    row.seq === route.value.at && (recording.value || row.path === route.value.subject);
  return (
    <div
      class={`row ${row.kind} ${isThen ? 'selected' : ''} ${row.refusedBy ? 'refused' : ''}`}
      style={{ top: `${place * ROW_HEIGHT}px` }}
      role="row"
      title={`${row.source ?? ''} → ${row.path}\n${row.text}`}
    >
      <span role="cell" class="time">
        <Time row={row} />
      </span>
      <span role="cell" class="from">
        {row.source === undefined ? '' : called(row.source)}
      </span>
      <span role="cell" class="sign" title={row.kind}>
        {SIGNS[row.kind]}
      </span>
      <span role="cell" class="to">
        <a href={linkTo('actors', row.path)}>{called(row.path)}</a>
      </span>
      <span role="cell" class="what">
        {lineText(row)}
        {row.refusedBy !== undefined && <i> ✗ {row.refusedBy}</i>}
      </span>
      <span role="cell" class="state">
        {row.state ?? ''}
      </span>
    </div>
  );
}

interface BarProps {
  readonly isWhole: boolean;
  readonly wanted: string;
  readonly onWant: (text: string) => void;
  readonly rows: readonly LogRow[];
}

function Tabs() {
  return (
    <div class="tabs" role="group" aria-label="What is shown">
      {(['log', 'sequence'] as const).map((tab) => (
        <button
          key={tab}
          type="button"
          aria-pressed={lowerTab.value === tab}
          onClick={() => (lowerTab.value = tab)}
        >
          {tab === 'log' ? 'Event log' : 'Sequence'}
        </button>
      ))}
    </div>
  );
}

function Bar({ isWhole, wanted, onWant, rows }: BarProps) {
  const { subject } = route.value;
  const ofSubject = `path:${subject ?? ''}`.toLowerCase();
  const jsonl = (): void =>
    save(
      'mesh-events.jsonl',
      'application/x-ndjson',
      rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    );
  return (
    <div class="bar">
      <Tabs />
      <label class="search">
        <Icon name="search" />
        <input
          type="search"
          value={wanted}
          placeholder="kind:crash restarts>0 -health text"
          aria-label="Filter of the log"
          onInput={({ currentTarget }) => onWant(currentTarget.value)}
        />
      </label>
      {!isWhole && subject !== null && (
        <button
          type="button"
          aria-pressed={wanted === ofSubject}
          onClick={() => onWant(wanted === ofSubject ? '' : ofSubject)}
        >
          Only this actor
        </button>
      )}
      <span class="soft tally">{counted(rows.length, 'row')}</span>
      <button type="button" onClick={jsonl} title="The rows shown, a JSON object each">
        <Icon name="download" />
        JSONL
      </button>
      {isWhole && <OpenRecording />}
    </div>
  );
}

function List({ rows }: { readonly rows: readonly LogRow[] }) {
  const { box, first, last, onScroll } = useWindow(rows.length, ROW_HEIGHT);
  const { at } = route.value;
  useEffect(() => {
    const { current } = box;
    if (!current || isHeld.value) return;
    const place = recording.value && at !== null ? rows.findIndex(({ seq }) => seq >= at) : -1;
    current.scrollTop =
      place < 0 ? current.scrollHeight : place * ROW_HEIGHT - current.clientHeight / 2;
  }, [rows.at(-1)?.seq, rows.length, at]);
  return (
    <div class="list" ref={box} onScroll={onScroll} role="table" aria-label="Log" tabIndex={0}>
      <div style={{ height: `${rows.length * ROW_HEIGHT}px` }} role="presentation">
        {rows.slice(first, last).map((row, index) => (
          <Line key={row.seq} row={row} place={first + index} />
        ))}
      </div>
    </div>
  );
}

/** What happened, newest at the end; space holds it. */
export function EventLog({ isWhole }: { readonly isWhole: boolean }) {
  const [own, setOwn] = useState('');
  // On its own page, the filter is part of the address.
  const wanted = isWhole ? route.value.filter : own;
  const test = useMemo(
    () => (wanted === '' ? undefined : logFilterOf(wanted, (path) => actors.peek().get(path))),
    [wanted],
  );
  const rows = useFiltered(log.value, test);
  const onWant = isWhole ? (filter: string) => go({ filter }) : setOwn;
  return (
    <section class={`panel log ${isHeld.value ? 'still' : ''}`} aria-label="Events">
      <Bar isWhole={isWhole} wanted={wanted} onWant={onWant} rows={rows} />
      {lowerTab.value === 'sequence' ? (
        <Sequence rows={rows} />
      ) : rows.length === 0 ? (
        <Empty title={wanted === '' ? 'Nothing has happened yet' : 'No line is like that'} />
      ) : (
        <List rows={rows} />
      )}
      {isWhole && recording.value && <RecordingScrubber />}
    </section>
  );
}
