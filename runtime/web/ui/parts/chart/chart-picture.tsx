import { useMemo, useState } from 'preact/hooks';
import type { ChartTransition } from '../../../../charts/chart.ts';
import type { Box } from '../../../../charts/layout.types.ts';
import { indexOf } from '../../chart-index.ts';
import type { DrawnChart } from '../../store.ts';
import { Arrow } from './arrow.tsx';
import { StateBox } from './state-box.tsx';

/** What is said about a chart beside its shape. */
export interface ChartLight {
  /** Ids of states. */
  readonly active: readonly string[];
  /** Ids of transitions. */
  readonly taken: readonly string[];
  /** Changes with every step, so that the same transition taken twice moves twice. */
  readonly pulse?: number;
  /** Events that may be taken now, and whether their guard lets them. */
  readonly accepts?: ReadonlyMap<string, boolean>;
  /** A count to be drawn on a state. */
  readonly counts?: ReadonlyMap<string, number>;
  /** How often each transition was taken by specs. */
  readonly coverage?: ReadonlyMap<string, number> | undefined;
}

interface PictureProps extends ChartLight {
  readonly drawn: DrawnChart;
  readonly scale: number;
}

/** A state chart: drawn once for a definition, then only its classes change. */
export function ChartPicture({ drawn, scale, ...light }: PictureProps) {
  const { chart, layout } = drawn;
  const { states, transitions } = useMemo(() => indexOf(chart), [chart]);
  const [touched, setTouched] = useState<Touched>(NOTHING);
  const [lit, gone] = [new Set(light.active), new Set(light.taken)];
  const name = `State chart of ${chart.name}; now in ${light.active.join(', ') || 'no state'}`;
  return (
    <svg
      class={`chart ${light.active.length > 0 ? 'inhabited' : ''} ${
        touched === NOTHING ? '' : 'touching'
      }`}
      viewBox={`0 0 ${layout.width} ${layout.height}`}
      width={layout.width * scale}
      height={layout.height * scale}
      role="img"
      aria-label={name}
      onMouseOver={({ target }) => setTouched(touchedBy(target))}
      onMouseLeave={() => setTouched(NOTHING)}
    >
      <Markers />
      {states.map(({ state, notes }) => (
        <StateBox
          key={state.id}
          state={state}
          notes={notes}
          layout={layout}
          isLit={lit.has(state.id)}
          gone={gone}
          coverage={light.coverage}
        />
      ))}
      {layout.edges.map((edge) => {
        const transition = transitions.get(edge.id);
        const isTaken = transition !== undefined && gone.has(transition.id);
        return (
          <Arrow
            key={edge.id}
            edge={edge}
            classes={`${edgeClasses(transition, lit, light, isTaken)} ${
              transition && isTouched(transition, touched) ? 'touched' : ''
            }`}
            count={transition && light.coverage ? (light.coverage.get(transition.id) ?? 0) : null}
            pulse={isTaken ? light.pulse : undefined}
          />
        );
      })}
      {[...(light.counts ?? [])].map(([state, count]) => (
        <Count key={state} box={layout.boxes[state]} count={count} />
      ))}
    </svg>
  );
}

/** What the mouse is on: its arrows stand out among the others. */
interface Touched {
  readonly state?: string;
  readonly transition?: string;
}

const NOTHING: Touched = {};

function touchedBy(target: EventTarget | null): Touched {
  const found =
    target instanceof Element ? target.closest('[data-transition], [data-state]') : null;
  const transition = found?.getAttribute('data-transition');
  if (transition) return { transition };
  const state = found?.getAttribute('data-state');
  return state ? { state } : NOTHING;
}

const isTouched = (one: ChartTransition, { state, transition }: Touched): boolean =>
  one.id === transition ||
  (state !== undefined && (one.source === state || one.targets.includes(state)));

/** One arrow head for each colour: a marker does not take the colour of its line everywhere. */
const Markers = () => (
  <defs>
    {['tip', 'tip-near', 'tip-taken', 'tip-error'].map((id) => (
      <marker
        key={id}
        id={id}
        viewBox="0 0 8 8"
        refX="7"
        refY="4"
        markerWidth="8"
        markerHeight="8"
        markerUnits="userSpaceOnUse"
        orient="auto-start-reverse"
      >
        <path d="M0.500 0.800 7.500 4 0.500 7.200Z" />
      </marker>
    ))}
  </defs>
);

function edgeClasses(
  transition: ChartTransition | undefined,
  lit: ReadonlySet<string>,
  { accepts, coverage, active }: ChartLight,
  isTaken: boolean,
): string {
  if (transition === undefined) return 'edge initial';
  const isNear = active.length > 0 && (transition.source === '' || lit.has(transition.source));
  const isOpen = accepts?.get(transition.event) ?? true;
  const classes = ['edge', transition.kind];
  if (isNear) classes.push(isOpen ? 'near' : 'barred');
  if (isTaken) classes.push('taken');
  if (coverage) classes.push((coverage.get(transition.id) ?? 0) > 0 ? 'covered' : 'missed');
  return classes.join(' ');
}

/** How many actors stand in a state, on its corner. */
function Count({ box, count }: { readonly box: Box | undefined; readonly count: number }) {
  if (!box) return null;
  const width = 12 + String(count).length * 7;
  const x = box.x + box.width - width / 2 - 2;
  return (
    <g class="standing">
      <rect x={x} y={box.y - 8} width={width} height={16} rx={8} />
      <text x={x + width / 2} y={box.y + 3.5} text-anchor="middle">
        {count}
      </text>
    </g>
  );
}
