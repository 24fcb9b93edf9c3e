import type { Known } from './mesh-page.tsx';

const BOX = { width: 168, height: 46 } as const;
const NODES_MAX = 5;

interface Place {
  readonly key: string;
  readonly name: string;
  readonly told: string;
  readonly x: number;
  readonly y: number;
  readonly isThere: boolean;
}

interface Line {
  readonly from: Place;
  readonly to: Place;
  readonly what: string;
}

interface Drawing {
  readonly places: readonly Place[];
  readonly lines: readonly Line[];
  readonly height: number;
}

const place = (key: string, name: string, told: string, x: number, y: number, isThere = true) => ({
  key,
  name,
  told,
  x,
  y,
  isThere,
});

/** From left to right: clients, the edge, the nodes, and what they ask. */
function drawingOf({ nodes, edgeUrl, coordinator, relay, peers }: Known): Drawing {
  const shown = nodes.slice(0, NODES_MAX);
  const rows = Math.max(3, shown.length + (nodes.length > NODES_MAX ? 1 : 0));
  const height = rows * 64 + 12;
  const middle = height / 2 - BOX.height / 2;
  const top = (count: number, index: number): number =>
    height / 2 - (count * 64) / 2 + index * 64 + 9;
  const client = place('client', 'clients', 'HTTP, WebSocket', 12, middle);
  const edge = place('edge', 'edge', edgeUrl.replace(/^https?:\/\//, ''), 248, middle);
  const stations = [
    ...shown,
    ...(nodes.length > NODES_MAX ? [`${nodes.length - NODES_MAX} more`] : []),
  ].map((name, index, all) => place(`node ${name}`, name, 'node', 484, top(all.length, index)));
  const asked = [
    place(
      'coordinator',
      'Coordinator',
      coordinator.available ? coordinator.state : 'not here',
      740,
      top(3, 0),
      coordinator.available,
    ),
    place(
      'relay',
      'relay',
      relay.available ? relay.state : 'not here',
      740,
      top(3, 1),
      relay.available,
    ),
    place(
      'peers',
      'peers',
      peers.available ? `${peers.rows.length} known` : 'not here',
      740,
      top(3, 2),
      peers.available,
    ),
  ];
  const whats = ['certificates', 'messages', 'messages'];
  return {
    height,
    places: [client, edge, ...stations, ...asked],
    lines: [
      { from: client, to: edge, what: 'requests' },
      ...stations.map((to, index) => ({ from: edge, to, what: index === 0 ? 'proxied' : '' })),
      ...asked.flatMap((to, row) =>
        stations.map((from, index) => ({ from, to, what: index === 0 ? (whats[row] ?? '') : '' })),
      ),
    ],
  };
}

/** Who speaks with whom. What is not there is drawn dashed, and says so. */
export function MeshPicture({ view }: { readonly view: Known }) {
  const { places, lines, height } = drawingOf(view);
  const told = places.map(({ name, told }) => `${name}: ${told}`).join('; ');
  return (
    <div class="picture" tabIndex={0} role="region" aria-label="Who speaks with whom">
      <svg
        class="topology"
        viewBox={`0 0 920 ${height}`}
        width="920"
        height={height}
        role="img"
        aria-label={told}
      >
        {lines.map(({ from, to, what }) => (
          <g key={`${from.key} ${to.key}`} class={to.isThere ? 'line' : 'line absent'}>
            <path d={curve(from, to)} />
            {what !== '' && to.isThere && (
              <text x={to.x - 8} y={to.y + BOX.height / 2 - 6} text-anchor="end">
                {what}
              </text>
            )}
          </g>
        ))}
        {places.map((one) => (
          <g key={one.key} class={one.isThere ? 'place' : 'place absent'}>
            <rect x={one.x} y={one.y} {...BOX} rx={9} />
            <text class="key" x={one.x + 14} y={one.y + 20}>
              {one.name}
            </text>
            <text x={one.x + 14} y={one.y + 36}>
              {one.told.length > 24 ? `${one.told.slice(0, 23)}…` : one.told}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}

function curve(from: Place, to: Place): string {
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x, to.y + BOX.height / 2];
  const bend = (x2 - x1) / 2;
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
