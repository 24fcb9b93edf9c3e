import type { ChartState } from '../../../../charts/chart.ts';
import type { Box, Layout } from '../../../../charts/layout.types.ts';
import type { NoteLine } from '../../chart-index.ts';

const LINE = 14;
const NAME_TOP = 16;

interface StateBoxProps {
  readonly state: ChartState;
  readonly notes: readonly NoteLine[];
  readonly layout: Layout;
  readonly isLit: boolean;
  readonly gone: ReadonlySet<string>;
  readonly coverage: ReadonlyMap<string, number> | undefined;
}

/** A state with what it does by itself, and the dot before its first one. */
export function StateBox({ state, notes, layout, isLit, gone, coverage }: StateBoxProps) {
  const box = layout.boxes[state.id];
  if (!box) return null;
  const dot = layout.boxes[`${state.id}|initial`];
  const classes = ['state', state.type];
  if (state.states.length > 0) classes.push('group');
  if (state.id === '') classes.push('root');
  if (isLit) classes.push('lit');
  return (
    <>
      <g class={classes.join(' ')} data-state={state.id}>
        {state.description !== undefined && <title>{state.description}</title>}
        <rect {...box} rx={7} />
        {state.type === 'final' && <rect class="inner" {...inset(box)} rx={4.5} />}
        <text class="key" x={box.x + 10} y={box.y + NAME_TOP}>
          {state.key}
        </text>
        {notes.map((note, index) => (
          <Note
            key={note.text}
            note={note}
            x={box.x + 10}
            y={box.y + NAME_TOP + (index + 1) * LINE}
            isTaken={note.transition !== undefined && gone.has(note.transition)}
            coverage={coverage}
          />
        ))}
      </g>
      {dot && <circle class="dot" cx={dot.x + dot.width / 2} cy={dot.y + dot.width / 2} r={4.5} />}
    </>
  );
}

const inset = ({ x, y, width, height }: Box): Box => ({
  x: x + 3,
  y: y + 3,
  width: width - 6,
  height: height - 6,
});

interface NoteProps {
  readonly note: NoteLine;
  readonly x: number;
  readonly y: number;
  readonly isTaken: boolean;
  readonly coverage: ReadonlyMap<string, number> | undefined;
}

function Note({ note, x, y, isTaken, coverage }: NoteProps) {
  const { text, transition } = note;
  const count = coverage && transition !== undefined ? (coverage.get(transition) ?? 0) : null;
  const classes = ['note'];
  if (isTaken) classes.push('taken');
  if (count !== null) classes.push(count > 0 ? 'covered' : 'missed');
  return (
    <text class={classes.join(' ')} x={x} y={y} data-transition={transition}>
      {count !== null && (
        <tspan x={x - 8} class="mark">
          {count > 0 ? '✓' : '✗'}
        </tspan>
      )}
      <tspan x={x}>{text}</tspan>
    </text>
  );
}
