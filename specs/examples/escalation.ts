import { startTree } from 'mycelium-mesh';
import { setup } from 'xstate';

/** A gateway whose every call fails until somebody above it starts all of its part anew. */
const gatewayMachine = setup({
  types: {} as { events: { type: 'charge' } },
  actions: {
    fail: () => {
      throw new Error('The connection is stale.');
    },
  },
}).createMachine({ id: 'gateway', on: { charge: { actions: 'fail' } } });

const ledgerMachine = setup({}).createMachine({ id: 'ledger' });

const tree = await startTree({
  id: 'shop',
  type: 'supervisor',
  intensity: 3,
  children: [
    { id: 'ledger', logic: ledgerMachine },
    {
      id: 'payments',
      type: 'supervisor',
      strategy: 'one_for_all',
      // One restart in five seconds may help; a second one would not, so the supervisor gives up.
      intensity: 1,
      periodMs: 5_000,
      children: [
        { id: 'session', logic: ledgerMachine },
        { id: 'gateway', logic: gatewayMachine },
      ],
    },
  ],
});

const isOver = new Promise<void>((resolve) => {
  const ignore = tree.onReport((report) => {
    const to = report.type === 'escalation' ? ` to ${report.to}` : '';
    console.log(`${report.type} ${report.path}${to}`);
    if (report.type !== 'restart' || report.path !== 'shop/payments') return;
    ignore();
    resolve();
  });
});

// Mail that waits in a restart is kept, so the second charge finds the gateway that came back.
tree.send('shop/payments/gateway', { type: 'charge' });
tree.send('shop/payments/gateway', { type: 'charge' });
await isOver;

for (const { id, incarnation } of tree.whichChildren('shop'))
  console.log(`${id} is in its incarnation ${incarnation}`);
await tree.stop();
