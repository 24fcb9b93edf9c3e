import { useEffect } from 'preact/hooks';
import { actors, filterTest, go, isHeld, route, rows, select, toggle } from '../store.ts';
import { counted, nameOf, shortState } from '../names.ts';
import type { TreeRow } from '../tree-rows.ts';
import type { ActorRow } from '../wire.types.ts';
import { Icon } from './icon.tsx';
import { Empty } from './empty.tsx';
import { Sign } from './status.tsx';
import { useWindow } from './window.ts';

const ROW_HEIGHT = 28;
const INDENT = 11;

/** That an effect without states is active goes without saying. */
const stateOf = ({ machine, state, status }: ActorRow): string =>
  machine === null && state === 'active' ? '' : shortState(state || status);

function Line({ line, place }: { readonly line: TreeRow; readonly place: number }) {
  const { row, depth, isOpen, isLeaf } = line;
  const isSelected = row.path === route.value.subject;
  const isPinned = route.value.pins.includes(row.path);
  return (
    <div
      id={`actor:${row.path}`}
      class={`row ${row.kind} ${isSelected ? 'selected' : ''} ${stateOf(row) === '' ? 'plain' : ''}`}
      role="treeitem"
      aria-level={depth + 1}
      aria-posinset={line.place}
      aria-setsize={line.siblings}
      aria-selected={isSelected}
      aria-expanded={isLeaf ? undefined : isOpen}
      style={{ top: `${place * ROW_HEIGHT}px` }}
      title={row.path}
      onClick={() => select(row.path)}
      onDblClick={() => toggle(row.path)}
    >
      <span class="name" style={{ paddingLeft: `${depth * INDENT}px` }}>
        <span
          class="twist"
          onClick={(event) => {
            event.stopPropagation();
            if (!isLeaf) toggle(row.path);
          }}
        >
          {isLeaf ? '' : isOpen ? '▾' : '▸'}
        </span>
        <Sign status={row.status} />
        <span class="id">{nameOf(row)}</span>
        {row.restarts > 0 && (
          <b class="hot" title={`${row.restarts} restarts`}>
            ↻{row.restarts}
          </b>
        )}
        {isPinned && <Icon name="pin" />}
      </span>
      <span class="state" title={row.state}>
        {stateOf(row)}
      </span>
      <span class="count soft">{row.events > 0 ? row.events : ''}</span>
    </div>
  );
}

function Bar({ count }: { readonly count: number }) {
  const all = actors.value.size;
  return (
    <div class="bar">
      <h2>Actors</h2>
      <span class="soft tally">
        {filterTest.value ? `${count} of ${all}` : counted(all, 'actor')}
      </span>
      <label class="search">
        <Icon name="search" />
        <input
          id="filter"
          type="search"
          value={route.value.filter}
          placeholder="state:failing restarts>0"
          aria-label="Filter of the tree"
          title="state: kind: status: machine: restarts> events> text, -not"
          onInput={({ currentTarget }) => go({ filter: currentTarget.value })}
        />
        <kbd>/</kbd>
      </label>
    </div>
  );
}

const bottomOf = ({ scrollTop, clientHeight }: HTMLElement): number => scrollTop + clientHeight;

/** The supervision tree; the rows out of sight are not drawn. */
export function Tree() {
  const all = rows.value;
  const { box, first, last, onScroll } = useWindow(all.length, ROW_HEIGHT);
  const { subject, filter } = route.value;
  const isThere = subject !== null && actors.value.has(subject);
  const isDrawn = all.slice(first, last).some(({ row }) => row.path === subject);
  useEffect(() => {
    const place = rows.value.findIndex(({ row }) => row.path === subject);
    const { current } = box;
    if (!current || place < 0) return;
    const top = place * ROW_HEIGHT;
    const away = Math.max(current.scrollTop - top, top + ROW_HEIGHT - bottomOf(current));
    if (away <= 0) return;
    // A step of the keyboard moves by a line; a leap puts it into the middle.
    if (away > ROW_HEIGHT) current.scrollTop = top - current.clientHeight / 2;
    else current.scrollTop += top < current.scrollTop ? -away : away;
  }, [subject, filter, isThere]);
  return (
    <section class={`panel tree ${isHeld.value ? 'still' : ''}`} aria-label="Supervision tree">
      <Bar count={all.length} />
      <div class="row head" aria-hidden="true">
        <span class="name">actor</span>
        <span class="state">state</span>
        <span class="count">events</span>
      </div>
      {all.length === 0 && (
        <Empty
          title={actors.value.size === 0 ? 'Waiting for the tree…' : 'No actor is like that'}
        />
      )}
      <div
        class="list"
        ref={box}
        onScroll={onScroll}
        role="tree"
        aria-label="Actors"
        tabIndex={0}
        aria-activedescendant={isDrawn ? `actor:${subject}` : undefined}
      >
        <div style={{ height: `${all.length * ROW_HEIGHT}px` }} role="presentation">
          {all.slice(first, last).map((line, index) => (
            <Line key={line.row.path} line={line} place={first + index} />
          ))}
        </div>
      </div>
    </section>
  );
}
