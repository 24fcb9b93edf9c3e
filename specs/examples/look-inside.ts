import { startTree } from 'mycelium-mesh';
import { createMachine } from 'xstate';

/** Red, green, red, and out of order. */
const trafficLightMachine = createMachine({
  id: 'traffic-light',
  initial: 'red',
  states: {
    red: { after: { 1_000: 'green' } },
    green: { after: { 1_000: 'outOfOrder' } },
    outOfOrder: { type: 'final' },
  },
});

const tree = await startTree(
  {
    id: 'crossing',
    type: 'supervisor',
    autoShutdown: 'any_significant',
    children: [
      { id: 'light', logic: trafficLightMachine, restart: 'temporary', significant: true },
    ],
  },
  { inspect: { allowSend: true } },
);
console.log(`Open ${tree.inspector.url}`);

const { type } = await tree.ended;
console.log(`The crossing ended: ${type}`);
