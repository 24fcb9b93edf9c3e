import type { Known } from './mesh-part.ts';

const BOX = { width: 168, height: 46 } as const;
const ROW = 58;
const COLUMNS = { clients: 8, edge: 262, nodes: 516, asked: 800 } as const;
const WIDTH = 976;
const NODES_MAX = 6;
const INSIDE = 12;
const NODE_ROW = 24;

interface Place {
  readonly name: string;
  readonly told: string;
  readonly x: number;
  readonly y: number;
  readonly isThere: boolean;
}

interface Asked extends Place {
  readonly what: string;
}

const fitting = (text: string): string => (text.length > 23 ? `${text.slice(0, 22)}…` : text);

/** What the nodes and the edge ask, from top to bottom. */
function askedOf({ coordinator, relay, peers }: Known, top: number): readonly Asked[] {
  const rows: readonly (readonly [string, string, string | undefined])[] = [
    ['Coordinator', 'certificates', coordinator.available ? coordinator.state : undefined],
    ['relay', 'messages', relay.available ? relay.state : undefined],
    ['peers', 'messages', peers.available ? `${peers.rows.length} known` : undefined],
  ];
  return rows.map(([name, what, told], index) => ({
    name,
    what,
    told: told ?? 'not here',
    isThere: told !== undefined,
    x: COLUMNS.asked,
    y: top + index * ROW,
  }));
}

/** Who speaks with whom. What is not there is drawn dashed, and says so. */
export function MeshPicture({ view }: { readonly view: Known }) {
  const shown = view.nodes.slice(0, NODES_MAX);
  const hidden = view.nodes.length - shown.length;
  const lines = hidden > 0 ? [...shown, `and ${hidden} more`] : shown;
  const groupHeight = 34 + Math.max(1, lines.length) * NODE_ROW;
  const height = Math.max(3 * ROW, groupHeight) + 12;
  const middle = height / 2;
  const asked = askedOf(view, middle - 1.5 * ROW + (ROW - BOX.height) / 2);
  const y = middle - BOX.height / 2;
  const clients = {
    name: 'clients',
    told: 'HTTP, WebSocket',
    x: COLUMNS.clients,
    y,
    isThere: true,
  };
  const address = view.edgeUrl.replace(/^https?:\/\//, '');
  const edge = { name: 'edge', told: address, x: COLUMNS.edge, y, isThere: true };
  const told = [clients, edge, ...asked].map((one) => `${one.name}: ${one.told}`).join('; ');
  return (
    <div class="picture" tabIndex={0} role="region" aria-label="Who speaks with whom">
      <svg
        class="topology"
        viewBox={`0 0 ${WIDTH} ${height}`}
        width={WIDTH}
        height={height}
        role="img"
        aria-label={`${told}; nodes: ${view.nodes.join(', ')}`}
      >
        <Line x1={COLUMNS.clients + BOX.width} y1={middle} x2={COLUMNS.edge} y2={middle}>
          requests
        </Line>
        <Line x1={COLUMNS.edge + BOX.width} y1={middle} x2={COLUMNS.nodes} y2={middle}>
          proxied
        </Line>
        {asked.map((one) => (
          <Line
            key={one.name}
            x1={COLUMNS.nodes + BOX.width}
            y1={middle + (one.y + BOX.height / 2 - middle) / 4}
            x2={one.x}
            y2={one.y + BOX.height / 2}
            isThere={one.isThere}
          >
            {one.what}
          </Line>
        ))}
        <g class="place">
          <rect
            x={COLUMNS.nodes}
            y={middle - groupHeight / 2}
            width={BOX.width}
            height={groupHeight}
            rx={9}
          />
          <text class="key" x={COLUMNS.nodes + INSIDE} y={middle - groupHeight / 2 + 20}>
            {view.nodes.length === 1 ? 'node' : `${view.nodes.length} nodes`}
          </text>
          {lines.map((name, index) => (
            <text
              key={name}
              x={COLUMNS.nodes + INSIDE}
              y={middle - groupHeight / 2 + 42 + index * NODE_ROW}
            >
              {fitting(name)}
            </text>
          ))}
        </g>
        {[clients, edge, ...asked].map((one) => (
          <Box key={one.name} {...one} />
        ))}
      </svg>
    </div>
  );
}

const Box = ({ name, told, x, y, isThere }: Place) => (
  <g class={isThere ? 'place' : 'place absent'}>
    <rect x={x} y={y} {...BOX} rx={9} />
    <text class="key" x={x + INSIDE} y={y + 20}>
      {name}
    </text>
    <text x={x + INSIDE} y={y + 36}>
      {fitting(told)}
    </text>
  </g>
);

interface LineProps {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly isThere?: boolean;
  readonly children: string;
}

/** From one to another; what is said stands on the outer side of the bend. */
function Line({ x1, y1, x2, y2, isThere = true, children }: LineProps) {
  const bend = (x2 - x1) / 2;
  return (
    <g class={isThere ? 'line' : 'line absent'}>
      <path d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x1 + bend} ${y2} ${x2} ${y2}`} />
      <text x={x2 - 6} y={y2 > y1 ? y2 + 15 : y2 - 6} text-anchor="end">
        {children}
      </text>
    </g>
  );
}
