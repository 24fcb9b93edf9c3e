import { useEffect, useState } from 'preact/hooks';
import { isHeld, log, route, select } from '../store.ts';
import type { LogRow } from '../wire.types.ts';
import { Sequence } from './sequence.tsx';
import { useWindow } from './window.ts';

const ROW_HEIGHT = 22;

const time = (ms: number): string => new Date(ms).toISOString().slice(11, 23);

function Line({ row, place }: { readonly row: LogRow; readonly place: number }) {
  return (
    <div
      class={`row ${row.kind}`}
      style={{ top: `${place * ROW_HEIGHT}px` }}
      role="row"
      title={`${row.path} ${row.text}`}
    >
      <span role="cell" class="time">
        {time(row.atMs)}
      </span>
      <span role="cell" class="from">
        {row.source ?? ''}
      </span>
      <span role="cell" class="to">
        <button type="button" class="link" onClick={() => select(row.path)}>
          {row.path}
        </button>
      </span>
      <span role="cell" class="what">
        {row.text}
      </span>
      <span role="cell" class="state">
        {row.state ?? ''}
      </span>
    </div>
  );
}

const holds = (row: LogRow, wanted: string): boolean =>
  wanted === '' ||
  `${row.kind} ${row.source ?? ''} ${row.path} ${row.text} ${row.state ?? ''}`
    .toLowerCase()
    .includes(wanted);

/** What happened, newest at the end; space holds it. */
export function EventLog({ isWhole }: { readonly isWhole: boolean }) {
  const [wanted, setWanted] = useState('');
  const [held, setHeld] = useState<readonly LogRow[] | undefined>(undefined);
  const [tab, setTab] = useState<'log' | 'sequence'>('log');
  const all = held ?? log.value;
  const rows = all.filter((row) => holds(row, wanted.toLowerCase()));
  const { box, first, last, onScroll } = useWindow(rows.length, ROW_HEIGHT);
  useEffect(() => setHeld(isHeld.value ? log.value : undefined), [isHeld.value]);
  useEffect(() => {
    const { current } = box;
    if (current && !isHeld.value) current.scrollTop = current.scrollHeight;
  }, [rows.length]);
  return (
    <section class="panel log" aria-label="Events">
      <div class="bar">
        <button type="button" aria-pressed={tab === 'log'} onClick={() => setTab('log')}>
          Event log
        </button>
        <button type="button" aria-pressed={tab === 'sequence'} onClick={() => setTab('sequence')}>
          Sequence
        </button>
        <input
          type="search"
          value={wanted}
          placeholder="filter of the log"
          aria-label="Filter of the log"
          onInput={({ currentTarget }) => setWanted(currentTarget.value)}
        />
        <span class="soft">{rows.length} rows</span>
        {isWhole && (
          <a href="/api/log.jsonl" download="mesh-events.jsonl">
            JSONL
          </a>
        )}
        <button
          type="button"
          aria-pressed={isHeld.value}
          onClick={() => (isHeld.value = !isHeld.value)}
        >
          {isHeld.value ? 'held' : 'hold'}
        </button>
      </div>
      {tab === 'sequence' ? (
        <Sequence rows={rows} subject={route.value.subject} />
      ) : (
        <div class="list" ref={box} onScroll={onScroll} role="table" aria-label="Log" tabIndex={0}>
          <div style={{ height: `${rows.length * ROW_HEIGHT}px` }} role="presentation">
            {rows.slice(first, last).map((row, index) => (
              <Line key={row.seq} row={row} place={first + index} />
            ))}
          </div>
        </div>
      )}
    </section>
  );
}
