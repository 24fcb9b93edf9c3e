import { useEffect } from 'preact/hooks';
import { actors, go, route, rows, select, toggle } from '../store.ts';
import type { TreeRow } from '../tree-rows.ts';
import { useWindow } from './window.ts';

const ROW_HEIGHT = 26;
const INDENT = 14;

/** Colour is never the only sign: the text of the state stands beside it. */
const signOf = (status: string): string =>
  ({ crashed: '✕', stopped: '○', restarting: '↻', starting: '◌' })[status] ?? '●';

function Line({ line, place }: { readonly line: TreeRow; readonly place: number }) {
  const { row, depth, isOpen, isLeaf } = line;
  const isSelected = row.path === route.value.subject;
  return (
    <div
      id={`actor:${row.path}`}
      class={`row ${isSelected ? 'selected' : ''}`}
      role="treeitem"
      aria-level={depth + 1}
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
        <span class={`sign ${row.status}`}>{signOf(row.status)}</span> {row.id}
      </span>
      <span class="state">{row.state || row.status}</span>
      <span class={row.restarts > 0 ? 'count hot' : 'count'}>{row.restarts || '·'}</span>
      <span class="count">{row.events || '·'}</span>
    </div>
  );
}

/** The supervision tree; the rows out of sight are not drawn. */
export function Tree() {
  const all = rows.value;
  const { box, first, last, onScroll } = useWindow(all.length, ROW_HEIGHT);
  const { subject, filter } = route.value;
  useEffect(() => {
    const place = rows.value.findIndex(({ row }) => row.path === subject);
    const { current } = box;
    if (!current || place < 0) return;
    const top = place * ROW_HEIGHT;
    if (top < current.scrollTop) current.scrollTop = top;
    else if (top + ROW_HEIGHT > current.scrollTop + current.clientHeight)
      current.scrollTop = top + ROW_HEIGHT - current.clientHeight;
  }, [subject]);
  return (
    <section class="panel tree" aria-label="Supervision tree">
      <div class="bar">
        <h2>Supervision tree</h2>
        <span class="soft">{actors.value.size} actors</span>
        <input
          id="filter"
          type="search"
          value={filter}
          placeholder="state:failing restarts>0 text  ( / )"
          aria-label="Filter of the tree"
          onInput={({ currentTarget }) => go({ filter: currentTarget.value })}
        />
      </div>
      <div class="row head" aria-hidden="true">
        <span class="name">actor</span>
        <span class="state">state</span>
        <span class="count">restarts</span>
        <span class="count">events</span>
      </div>
      <div
        class="list"
        ref={box}
        onScroll={onScroll}
        role="tree"
        aria-label="Actors"
        tabIndex={0}
        aria-activedescendant={subject === null ? undefined : `actor:${subject}`}
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
