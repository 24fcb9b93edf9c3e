import { connectControl } from '../../control/client.ts';
import type { Run } from '../command.ts';
import { age, duration, shortDigest } from '../format.ts';
import { table } from '../table.ts';

export const run: Run = async ({ args, home, out }) => {
  const history = await connectControl(home).history(args['app'] ?? '');
  out.data(history, () =>
    table(
      [
        'generation',
        'version',
        'digest',
        'instances',
        'strategy',
        'outcome',
        'took',
        'age',
        'reason',
      ],
      history.map((row) => [
        row.generation,
        row.version,
        shortDigest(row.digest),
        `${String(row.min)}-${String(row.max)}`,
        row.strategy,
        row.outcome,
        row.endedAtMs === null ? '-' : duration(row.endedAtMs - row.startedAtMs),
        age(row.startedAtMs, Date.now()),
        row.reason?.message ?? '',
      ]),
    ),
  );
};
