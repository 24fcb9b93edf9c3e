import { startTree } from 'mycelium-mesh';
import { createMachine } from 'xstate';

/** A door that breaks when it is slammed. */
const doorMachine = createMachine({
  id: 'door',
  initial: 'closed',
  states: {
    closed: { on: { open: 'open' } },
    open: { on: { close: 'closed', slam: { actions: 'breakHinge' } } },
  },
}).provide({
  actions: {
    breakHinge: () => {
      throw new Error('The hinge broke.');
    },
  },
});

const tree = await startTree({
  id: 'house',
  type: 'supervisor',
  strategy: 'one_for_one',
  intensity: 3,
  periodMs: 5_000,
  children: [{ id: 'door', logic: doorMachine, restart: 'permanent' }],
});

const repaired = new Promise<void>((resolve) => {
  tree.onReport((report) => {
    if (report.type === 'crash') console.log(`${report.path} crashed: ${report.reason.type}`);
    if (report.type === 'restart') resolve();
  });
});

tree.send('house/door', { type: 'open' });
tree.send('house/door', { type: 'slam' });
await repaired;

const [door] = tree.describe().children;
console.log(`${door?.path} is ${door?.state} again, restarts: ${door?.restarts}`);
await tree.stop();
