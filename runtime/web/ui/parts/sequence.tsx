import { useEffect, useRef } from 'preact/hooks';
import { actors, isHeld, pin, route } from '../store.ts';
import { clock, eventName, lineText, nameOf, shortPath } from '../names.ts';
import { OTHERS, sequenceOf } from '../sequence-rows.ts';
import type { Message } from '../sequence-rows.ts';
import type { LogRow } from '../wire.types.ts';
import { Empty } from './empty.tsx';
import { Icon } from './icon.tsx';

const LANE_WIDTH = 250;
const ROW_HEIGHT = 30;
const LEFT = 96;

const xOf = (lane: number): number => LEFT + lane * LANE_WIDTH + LANE_WIDTH / 2;

/** Who sent what to whom: the pinned actors, or the chosen one, and everybody else in one lane. */
export function Sequence({ rows }: { readonly rows: readonly LogRow[] }) {
  const { pins, subject } = route.value;
  const paths = pins.length > 0 ? pins : subject === null ? [] : [subject];
  const box = useRef<HTMLDivElement>(null);
  const { lanes, messages } = sequenceOf(rows, paths);
  useEffect(() => {
    const { current } = box;
    if (current && !isHeld.value) current.scrollTop = current.scrollHeight;
  }, [messages.at(-1)?.row.seq]);
  if (paths.length === 0)
    return (
      <Empty title="Choose an actor">
        Its messages are drawn here. Pin up to three with <kbd>p</kbd>, and see what they say to
        each other.
      </Empty>
    );
  const [width, height] = [LEFT + lanes.length * LANE_WIDTH, messages.length * ROW_HEIGHT + 24];
  return (
    <div class="lanes" ref={box} tabIndex={0} role="region" aria-label="Sequence diagram">
      <div class="heads" style={{ width: `${width}px` }}>
        {lanes.map((lane, place) => (
          <Head key={lane} lane={lane} left={xOf(place)} isPinned={pins.includes(lane)} />
        ))}
      </div>
      {messages.length === 0 && <p class="soft fine">No message yet.</p>}
      <svg
        class="sequence"
        width={width}
        height={height}
        role="img"
        aria-label={`Messages of ${paths.join(', ')}`}
      >
        <defs>
          <marker id="seq-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7">
            <path d="M0 0 8 4 0 8Z" />
          </marker>
        </defs>
        {lanes.map((lane, place) => (
          <path key={lane} class="lane" d={`M${xOf(place)} 0V${height}`} />
        ))}
        {messages.map((message, index) => (
          <Arrow key={message.row.seq} message={message} y={26 + index * ROW_HEIGHT} />
        ))}
      </svg>
    </div>
  );
}

interface HeadProps {
  readonly lane: string;
  readonly left: number;
  readonly isPinned: boolean;
}

function Head({ lane, left, isPinned }: HeadProps) {
  const row = actors.value.get(lane);
  return (
    <span class={lane === OTHERS ? 'head others' : 'head'} style={{ left: `${left}px` }}>
      <span title={lane}>{row?.label === undefined ? shortPath(lane) : nameOf(row)}</span>
      {isPinned && (
        <button
          type="button"
          class="bare"
          aria-label={`Unpin ${lane}`}
          title="Unpin"
          onClick={() => pin(lane)}
        >
          <Icon name="cross" />
        </button>
      )}
    </span>
  );
}

function Arrow({ message, y }: { readonly message: Message; readonly y: number }) {
  const { row, from, to } = message;
  const [start, end] = [xOf(from), xOf(to)];
  const time = (
    <text class="time" x={8} y={y + 4}>
      {clock(row.atMs)}
    </text>
  );
  if (row.kind !== 'event')
    return (
      <g class={`message ${row.kind}`}>
        {time}
        <rect x={end - 5} y={y - 5} width={10} height={10} rx={2} />
        <text x={end + 12} y={y + 4}>
          {lineText(row)}
        </text>
      </g>
    );
  const isSelf = start === end;
  const reach = start < end ? end - 3 : end + 3;
  return (
    <g class={row.refusedBy === undefined ? 'message' : 'message refused'}>
      {time}
      <path
        d={isSelf ? `M${start} ${y - 7}h26v12H${start + 4}` : `M${start} ${y}H${reach}`}
        marker-end="url(#seq-tip)"
      />
      <text
        x={isSelf ? start + 34 : (start + end) / 2}
        y={isSelf ? y + 3 : y - 5}
        text-anchor={isSelf ? 'start' : 'middle'}
      >
        {eventName(row.text)}
        {row.refusedBy === undefined ? '' : ` ✗ ${row.refusedBy}`}
        {row.state !== undefined && row.state !== '' && <tspan class="soft"> → {row.state}</tspan>}
      </text>
    </g>
  );
}
