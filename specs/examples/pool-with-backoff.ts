import { startTree } from 'mycelium-mesh';
import { setup } from 'xstate';

type JobEvent = { type: 'print'; page: string };

/** A printer that breaks on a bad page. */
const printerMachine = setup({
  types: {} as { events: JobEvent },
  actions: {
    print: (_, { page }: { page: string }) => {
      if (page === 'crumpled') throw new Error('Paper jam.');
      console.log(`printed ${page}`);
    },
  },
}).createMachine({
  id: 'printer',
  on: { print: { actions: { type: 'print', params: ({ event }) => event } } },
});

// A pool: children are made from the template, and each is restarted alone.
const tree = await startTree({
  id: 'printers',
  type: 'supervisor',
  strategy: 'simple_one_for_one',
  intensity: 10,
  maxChildren: 3,
  children: [
    {
      id: 'printer',
      logic: printerMachine,
      backoff: { minMs: 20, maxMs: 1_000, factor: 2, jitter: 0, resetAfterMs: 60_000 },
    },
  ],
});
tree.onReport((report) => {
  if (report.type === 'backoff')
    console.log(`${report.path} failed ${report.attempt} time(s), back in ${report.delayMs} ms`);
});

for (const id of ['north', 'south', 'west', 'east']) {
  const started = await tree.startChild('printers', { id });
  if (!started.ok) console.log(`${id} not started: ${started.reason}`);
}

const repaired = (incarnation: number): Promise<void> =>
  new Promise((resolve) => {
    tree.watch('printers/north', (event) => {
      if (event.type === 'up' && event.incarnation === incarnation) resolve();
    });
  });
const isRepaired = repaired(3);
for (const page of ['crumpled', 'crumpled', 'one'])
  tree.send('printers/north', { type: 'print', page });
tree.send('printers/south', { type: 'print', page: 'two' });
await isRepaired;
await tree.stop();
