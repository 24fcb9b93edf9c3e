/**
 * A process of its own that sets transitions on a shared history until it has won `wins` times or is
 * killed, and says each one that was acknowledged on a line. Arguments: the store, its path, the
 * writer's name, how often it shall win.
 */
import { writeSync } from 'node:fs';
import { encodeTransition } from '../../../machines/coordinator/transition.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createFileHistory } from '../../../runtime/adapters/history.fs.ts';
import { createSqliteHistory } from '../../../runtime/adapters/history.sqlite.ts';

const [store = '', path = '', name = '', wins = '1'] = process.argv.slice(2);
const history =
  store === 'sqlite'
    ? createSqliteHistory({ path, clock: systemClock })
    : await createFileHistory({ folder: path });

for (let won = 0, round = 0; won < Number(wins); round++) {
  const previous = (await history.latest())?.transition ?? null;
  const text = new TextEncoder().encode(`${name} ${round}`);
  const manifest = await history.put('manifests', text);
  const transition = await history.put('transitions', encodeTransition({ manifest, previous }));
  const record = { transition, signature: 'ab'.repeat(96) };
  const { type } = await history.compareAndSwap(previous, record);
  if (type === 'unavailable') throw new Error('The history was not available.');
  if (type === 'mismatch') continue;
  won++;
  // Not through a stream: it has left the process before the next swap begins.
  writeSync(1, `${transition}\n`);
}
await history.close();
