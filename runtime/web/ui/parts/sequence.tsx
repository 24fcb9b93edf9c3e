import type { LogRow } from '../wire.types.ts';

const LANES_MAX = 4;
const MESSAGES_MAX = 60;
const LANE_WIDTH = 230;
const ROW_HEIGHT = 26;

const shortened = (path: string): string =>
  path.length > 32 ? `…${path.slice(path.length - 31)}` : path;

/** Who sent what to whom: the chosen actor and those that it last spoke with. */
export function Sequence({
  rows,
  subject,
}: {
  readonly rows: readonly LogRow[];
  readonly subject: string | null;
}) {
  const about = rows.filter(
    ({ kind, path, source }) => kind === 'event' && (path === subject || source === subject),
  );
  const messages = about.slice(-MESSAGES_MAX);
  const lanes = lanesOf(messages, subject);
  if (subject === null || messages.length === 0)
    return <p class="soft empty">Choose an actor that gets events.</p>;
  const xOf = (path: string | undefined): number =>
    20 + Math.max(0, lanes.indexOf(path ?? 'outside')) * LANE_WIDTH + LANE_WIDTH / 2;
  const height = 40 + messages.length * ROW_HEIGHT;
  return (
    <div class="canvas">
      <svg
        class="sequence"
        width={40 + lanes.length * LANE_WIDTH}
        height={height}
        role="img"
        aria-label={`Messages of ${subject}`}
      >
        {lanes.map((lane) => (
          <g key={lane}>
            <text class="key" x={xOf(lane)} y={16} text-anchor="middle">
              {shortened(lane)}
            </text>
            <path class="lane" d={`M${xOf(lane)} 24V${height}`} />
          </g>
        ))}
        {messages.map((row, index) => (
          <Message
            key={row.seq}
            row={row}
            from={xOf(row.source)}
            to={xOf(row.path)}
            y={48 + index * ROW_HEIGHT}
          />
        ))}
      </svg>
    </div>
  );
}

interface MessageProps {
  readonly row: LogRow;
  readonly from: number;
  readonly to: number;
  readonly y: number;
}

function Message({ row, from, to, y }: MessageProps) {
  const path = from === to ? `M${from} ${y - 8}h24v8H${to + 4}` : `M${from} ${y}H${to}`;
  const middle = from === to ? from + 30 : (from + to) / 2;
  return (
    <g class="edge near">
      <path d={path} marker-end="url(#tip)" />
      <text x={middle} y={y - 4} text-anchor={from === to ? 'start' : 'middle'}>
        {row.text}
      </text>
    </g>
  );
}

/** The newest partners first, so that they have a lane where there are too many. */
function lanesOf(messages: readonly LogRow[], subject: string | null): string[] {
  const lanes = new Set<string>(subject === null ? [] : [subject]);
  for (const { source, path } of messages.toReversed())
    for (const lane of [source ?? 'outside', path]) if (lanes.size < LANES_MAX) lanes.add(lane);
  return [...lanes];
}
