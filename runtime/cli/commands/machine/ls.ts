import { MACHINES } from '../../../charts/catalog.ts';
import { chartOf, statesOf } from '../../../charts/chart.ts';
import type { Run } from '../../command.ts';
import { table } from '../../table.ts';

/** Lists the machines of this package. */
export const run: Run = async ({ out }) => {
  const rows = await Promise.all(
    Object.entries(MACHINES).map(async ([name, { summary, load }]) => {
      const states = [...statesOf(chartOf(await load()).root)];
      const transitions = states.flatMap((state) => state.transitions).length;
      return { name, states: states.length - 1, transitions, summary };
    }),
  );
  out.data(rows, () =>
    table(
      ['name', 'states', 'transitions', 'what it decides'],
      rows.map((row) => [row.name, row.states, row.transitions, row.summary]),
    ),
  );
};
