import { connectControl } from '../../control/client.ts';
import type { Run } from '../command.ts';
import { age, shortDigest } from '../format.ts';
import { hasIdentities, identityText } from '../identity-text.ts';

/** Lists the instances; the JSON is the rows as the mesh gives them. */
export const run: Run = async ({ home, out }) => {
  const rows = await connectControl(home).ps();
  if (rows.length === 0)
    out.note('No instance runs. Deploy one: mesh run APP DIGEST (see mesh publish --help).');
  if (rows.length === 0 && !out.json) return;
  const { table } = await import('../table.ts');
  const isCertified = hasIdentities(rows);
  out.data(rows, () =>
    table(
      [
        'app',
        'node',
        'instance',
        'role',
        'state',
        'pid',
        'port',
        'version',
        'digest',
        'restarts',
        'age',
        ...(isCertified ? ['certificate'] : []),
      ],
      rows.map((row) => [
        row.app,
        row.node,
        row.instance,
        row.role,
        row.state,
        row.pid ?? '-',
        row.port ?? '-',
        row.version,
        shortDigest(row.digest),
        row.restarts,
        age(row.since, Date.now()),
        ...(isCertified ? [identityText(row, Date.now())] : []),
      ]),
    ),
  );
};
