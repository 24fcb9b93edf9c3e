import { useMemo } from 'preact/hooks';
import type { Chart, ChartState, ChartTransition } from '../../../charts/chart.ts';
import type { Box, Layout, PlacedEdge } from '../../../charts/layout.types.ts';
import type { DrawnChart } from '../store.ts';

export interface ChartPictureProps {
  readonly drawn: DrawnChart;
  readonly active: readonly string[];
  readonly taken: readonly string[];
  /** Events that may be taken now, and whether their guard lets them. */
  readonly accepts: ReadonlyMap<string, boolean>;
}

const LINE = 14;

/** A state chart: drawn once for a definition, then only its classes change. */
export function ChartPicture({ drawn, active, taken, accepts }: ChartPictureProps) {
  const { chart, layout } = drawn;
  const { states, transitions } = useMemo(() => indexOf(chart), [chart]);
  const [lit, gone] = [new Set(active), new Set(taken)];
  return (
    <svg
      class="chart"
      viewBox={`0 0 ${layout.width} ${layout.height}`}
      role="img"
      aria-label={`State chart of ${chart.name}; now in ${active.join(', ') || 'no state'}`}
      style={{ maxWidth: `${layout.width}px` }}
    >
      <defs>
        <marker
          id="tip"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="7"
          markerHeight="7"
          orient="auto-start-reverse"
        >
          <path d="M0 0 8 4 0 8Z" />
        </marker>
      </defs>
      {states.map((state) => (
        <StateBox key={state.id} state={state} layout={layout} isLit={lit.has(state.id)} />
      ))}
      {layout.edges.map((edge) => {
        const transition = transitions.get(edge.id);
        const isNear = transition !== undefined && isActive(transition.source, lit);
        const isOpen = isNear && (accepts.get(transition.event) ?? true);
        const classes = [
          'edge',
          transition?.kind ?? 'initial',
          ...(isNear ? [isOpen ? 'near' : 'barred'] : []),
          ...(transition && gone.has(transition.id) ? ['taken'] : []),
        ];
        return <Arrow key={edge.id} edge={edge} classes={classes.join(' ')} />;
      })}
    </svg>
  );
}

const isActive = (source: string, lit: ReadonlySet<string>): boolean =>
  source === '' || lit.has(source);

function indexOf({ root }: Chart): {
  readonly states: readonly ChartState[];
  readonly transitions: ReadonlyMap<string, ChartTransition>;
} {
  const states: ChartState[] = [];
  const visit = (state: ChartState): void => {
    states.push(state);
    for (const child of state.states) visit(child);
  };
  visit(root);
  const all = states.flatMap(({ transitions }) => transitions);
  return { states, transitions: new Map(all.map((one) => [one.id, one])) };
}

interface StateBoxProps {
  readonly state: ChartState;
  readonly layout: Layout;
  readonly isLit: boolean;
}

function StateBox({ state, layout, isLit }: StateBoxProps) {
  const box = layout.boxes[state.id];
  if (!box) return null;
  const dot = layout.boxes[`${state.id}|initial`];
  const kinds = [
    state.type,
    ...(state.states.length > 0 ? ['group'] : []),
    ...(isLit ? ['lit'] : []),
  ];
  return (
    <>
      <g class={`state ${kinds.join(' ')}`} data-state={state.id}>
        <rect x={box.x} y={box.y} width={box.width} height={box.height} rx={5} />
        {state.type === 'final' && <Inner box={box} />}
        <text class="key" x={box.x + 10} y={box.y + 16}>
          {state.key}
        </text>
        {notesOf(state).map((note, index) => (
          <text class="note" key={note} x={box.x + 10} y={box.y + 16 + (index + 1) * LINE}>
            {note}
          </text>
        ))}
      </g>
      {dot && (
        <circle
          class="dot"
          cx={dot.x + dot.width / 2}
          cy={dot.y + dot.width / 2}
          r={dot.width / 2}
        />
      )}
    </>
  );
}

const Inner = ({ box }: { readonly box: Box }) => (
  <rect
    class="inner"
    x={box.x + 3}
    y={box.y + 3}
    width={box.width - 6}
    height={box.height - 6}
    rx={4}
  />
);

const notesOf = (state: ChartState): string[] => [
  ...(state.tags.length > 0 ? [state.tags.map((tag) => `#${tag}`).join(' ')] : []),
  ...state.entry.map((action) => `entry / ${action}`),
  ...state.exit.map((action) => `exit / ${action}`),
  ...state.invokes.map((actor) => `invoke ${actor}`),
  ...state.transitions
    .filter(({ targets }) => targets.length === 0)
    .map(({ label, actions }) => [label, actions.join(', ')].filter(Boolean).join(' / ')),
];

function Arrow({ edge, classes }: { readonly edge: PlacedEdge; readonly classes: string }) {
  const { label, points } = edge;
  return (
    <g class={classes} data-transition={edge.id}>
      <path
        d={points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('')}
        marker-end="url(#tip)"
      />
      {label && (
        <g class="label">
          <rect x={label.x} y={label.y} width={label.width} height={label.height} rx={3} />
          <text x={label.x + 4} y={label.y + 10}>
            {label.text}
          </text>
        </g>
      )}
    </g>
  );
}
