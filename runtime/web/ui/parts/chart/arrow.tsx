import { useMemo } from 'preact/hooks';
import type { PlacedEdge } from '../../../../charts/layout.types.ts';
import { labelParts, pathOf } from '../../chart-index.ts';

interface ArrowProps {
  readonly edge: PlacedEdge;
  readonly classes: string;
  /** How often specs took it; null where that is not looked at. */
  readonly count: number | null;
  readonly pulse: number | undefined;
}

/** A transition: its line, its label, and what moves along it when it is taken. */
export function Arrow({ edge, classes, count, pulse }: ArrowProps) {
  const d = useMemo(() => pathOf(edge.points), [edge]);
  return (
    <g class={classes} data-transition={edge.id}>
      <path class="reach" d={d} />
      <path class="line" d={d} />
      {pulse !== undefined && <path key={pulse} class="flow" d={d} pathLength={1} />}
      {edge.label && <Label label={edge.label} count={count} isBarred={/barred/.test(classes)} />}
    </g>
  );
}

interface LabelProps {
  readonly label: NonNullable<PlacedEdge['label']>;
  readonly count: number | null;
  readonly isBarred: boolean;
}

function Label({ label, count, isBarred }: LabelProps) {
  const { event, guard } = labelParts(label.text);
  return (
    <g class="label">
      <rect
        x={label.x}
        y={label.y - 1}
        width={label.width}
        height={label.height + 2}
        rx={(label.height + 2) / 2}
      />
      <text x={label.x + 4} y={label.y + 10.5}>
        {event}
        {guard !== '' && <tspan class="guard">{isBarred ? ` ✗${guard.slice(1)}` : guard}</tspan>}
      </text>
      {count !== null && (
        <text class="tally" x={label.x + 4} y={label.y + 22}>
          {count > 0 ? `✓${count}` : '✗'}
        </text>
      )}
    </g>
  );
}
