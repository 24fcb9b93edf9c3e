import { startTree, threadLogic } from 'mycelium-mesh';
import type { primeFinderMachine } from './machines/prime-finder.machine.ts';

// Only the type is imported here: the thread loads the machine itself.
const logic = threadLogic<typeof primeFinderMachine>({
  module: new URL('./machines/prime-finder.machine.ts', import.meta.url),
  export: 'primeFinderMachine',
  heartbeatTimeoutMs: 2_000,
  resourceLimits: { maxOldGenerationSizeMb: 64 },
});

const tree = await startTree({
  id: 'lab',
  type: 'supervisor',
  children: [{ id: 'primes', placement: 'thread', logic }],
});

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

let ticks = 0;
const ticking = setInterval(() => ticks++, 5);
tree.send('lab/primes', { type: 'count', limit: 1_000_000 });
await until(() => tree.snapshotOf('lab/primes')?.context.found === 78_498);
clearInterval(ticking);
console.log(`78498 primes found, and this thread was ${ticks > 3 ? 'free' : 'blocked'} meanwhile`);

const restarted = new Promise<void>((resolve) => {
  tree.onReport((report) => {
    if (report.type === 'crash') console.log(report.reason.cause?.code);
    if (report.type === 'restart') resolve();
  });
});
tree.send('lab/primes', { type: 'hang' });
await restarted;
console.log(`in its incarnation ${tree.describe().children[0]?.incarnation}`);
await tree.stop();
