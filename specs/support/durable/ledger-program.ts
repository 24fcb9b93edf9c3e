/**
 * A whole program that is to be killed at any moment: durable accounts, and orders from stdin, one
 * line each: `id account`. It prints `ack id` after an order was committed, `seen id` when the order's
 * effect is let out, and what it finds at its start as `open account count [newest ids]`.
 */
import { createInterface } from 'node:readline';
import { assign, setup } from 'xstate';
import { unboundAction } from '../../../machines/kernel/unbound.ts';
import { startTree } from '../../../runtime/start-tree.ts';

const [journal = '', accountsText = '3'] = process.argv.slice(2);
const accounts = Number(accountsText);

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it is there to be named
const typesOf = <Types>(): Types => ({}) as Types;

/** Counts its orders, and knows the ids of the newest. */
const account = setup({
  types: typesOf<{
    context: { readonly count: number; readonly newest: readonly string[] };
    events: { type: 'order'; id: string };
  }>(),
  actions: { tell: unboundAction<{ readonly id: string }>('tell') },
})
  .createMachine({
    id: 'account',
    context: { count: 0, newest: [] },
    on: {
      order: {
        actions: [
          assign(({ context: { count, newest }, event: { id } }) => ({
            count: count + 1,
            newest: [...newest.slice(-299), id],
          })),
          { type: 'tell', params: ({ event }) => ({ id: event.id }) },
        ],
      },
    },
  })
  .provide({ actions: { tell: (_, { id }) => say(`seen ${id}`) } });

const tree = await startTree(
  {
    id: 'bank',
    type: 'supervisor',
    children: Array.from({ length: accounts }, (_, at) => ({
      id: `${at}`,
      logic: account,
      resume: 'snapshot' as const,
    })),
  },
  { journal },
);

for (let at = 0; at < accounts; at++) {
  const { context } = tree.snapshotOf(`bank/${at}`) as unknown as {
    context: { count: number; newest: readonly string[] };
  };
  say(`open ${at} ${context.count} ${JSON.stringify(context.newest)}`);
}
say('ready');

const orderOf = (id: string) => ({ type: 'order', id }) as const;

for await (const line of createInterface({ input: process.stdin })) {
  const [id = '', to = '0'] = line.split(' ');
  tree.sendDurably(`bank/${to}`, orderOf(id), { id }).then(
    ({ isDuplicate }) => say(`${isDuplicate ? 'again' : 'ack'} ${id}`),
    (error: unknown) => say(`refused ${id} ${String(error)}`),
  );
}
await tree.stop();
