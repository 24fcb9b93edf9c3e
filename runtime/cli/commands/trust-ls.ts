import { createTrustStore } from '../../adapters/trust.fs.ts';
import { homePaths } from '../../home.ts';
import type { Run } from '../command.ts';
import { table } from '../table.ts';

export const run: Run = async ({ home, out }) => {
  const entries = await createTrustStore(homePaths(home).trust).list();
  if (entries.length === 0) out.note('No key is trusted. Add one: mesh trust add NAME.pub');
  if (entries.length === 0 && !out.json) return;
  out.data(entries, () =>
    table(
      ['name', 'app', 'id'],
      entries.map(({ name, app, id }) => [name, app ?? '(every app)', id]),
    ),
  );
};
