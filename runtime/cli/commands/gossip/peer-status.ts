import { withDesk } from '../../../gossip/peer/with-desk.ts';
import type { DeadLetterRow, PeerInfo } from '../../../gossip/message-view.ts';
import type { Run } from '../../command.ts';
import { age, counted } from '../../format.ts';

const ID_SHOWN = 12;
const DEAD_SHOWN = 10;

/** What the peer holds, what waits, and what it refused since it runs. */
export const run: Run = async ({ home, out, settings }) => {
  const { meshId } = await settings();
  const status = await withDesk(home, meshId, async (desk) => ({
    ...(await desk.info()),
    deadLetters: await desk.deadLetters(),
  }));
  out.data(status, () => statusText(status));
};

function statusText(status: PeerInfo & { readonly deadLetters: readonly DeadLetterRow[] }): string {
  const { peerId, meshId, pid, counts, deadLetters } = status;
  const of = (table: string): number => counts[table] ?? 0;
  const rows: readonly (readonly [string, string])[] = [
    ['peer', `${peerId} of ${meshId}`],
    ['runs', pid === null ? 'no' : `as process ${String(pid)}`],
    ['relay', relayText(status)],
    ['holds', `${counted(of('messages'), 'message')}, ${of('quarantined')} not verified`],
    ['knows', `${counted(of('peers'), 'peer')}, ${counted(of('keys'), 'key')}`],
    ['waits', `${counted(of('outbox'), 'message')} to be sent`],
    ...countsText('did', status.tallies),
    ...countsText('refused', status.refusals),
    ...deadLetters.slice(0, DEAD_SHOWN).map(deadLetterText),
  ];
  return rows.map(([name, value]) => `${name.padEnd(8)} ${value}`).join('\n');
}

const relayText = ({ relay }: PeerInfo): string => {
  if (relay === null) return 'none';
  const since = relay.since === null ? '' : ` for ${age(relay.since, Date.now())}`;
  return `${relay.url}, ${relay.state}${since}`;
};

/** A line each, so that a code can be looked up with `mesh explain`. */
const countsText = (name: string, counts: Readonly<Record<string, number>>): [string, string][] =>
  Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, count], index) => [index === 0 ? name : '', `${String(count)} × ${what}`]);

const deadLetterText = (
  { id, recipient, code }: DeadLetterRow,
  index: number,
): [string, string] => [
  index === 0 ? 'lost' : '',
  `${id.slice(0, ID_SHOWN)} to ${recipient.slice(0, ID_SHOWN)}: ${code}`,
];
