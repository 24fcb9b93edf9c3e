import { withDesk } from '../../../gossip/peer/with-desk.ts';
import type { Run } from '../../command.ts';
import { age } from '../../format.ts';
import { harmless } from '../../gossip/message-lines.ts';

const ID_SHOWN = 12;

export const run: Run = async ({ home, out, settings }) => {
  const { meshId } = await settings();
  const rows = await withDesk(home, meshId, (desk) => desk.peers());
  if (rows.length === 0) out.note('No peer was added: mesh peer add KEY --name NAME');
  if (rows.length === 0 && !out.json) return;
  const { table } = await import('../../table.ts');
  const since = (time: string | null): string => (time === null ? '-' : age(time, Date.now()));
  out.data(rows, () =>
    table(
      ['name', 'peer', 'state', 'last', 'asked', 'completed', 'misbehaved'],
      rows.map((row) => [
        harmless(row.name ?? '-'),
        row.peerId.slice(0, ID_SHOWN),
        row.state,
        row.outcome ?? '-',
        since(row.queriedAt),
        since(row.completedAt),
        row.misbehaved,
      ]),
    ),
  );
};
