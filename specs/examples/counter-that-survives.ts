import { spawnSync } from 'node:child_process';
import { startTree } from 'mycelium-mesh';
import { assign, createMachine } from 'xstate';

/** What is to survive is plain data in the context. */
const counterMachine = createMachine({
  id: 'counter',
  context: { count: 0 },
  on: { add: { actions: assign({ count: ({ context }) => context.count + 1 }) } },
});

/** Counts to one more than what it finds, and dies in the way that nobody can prepare for. */
async function countAndDie(run: number): Promise<void> {
  const tree = await startTree(
    {
      id: 'house',
      type: 'supervisor',
      children: [{ id: 'counter', logic: counterMachine, resume: 'snapshot' }],
    },
    { journal: 'house.sqlite' },
  );
  // Resolves when it is on disk.
  await tree.sendDurably('house/counter', { type: 'add' });
  // Sent by every run, with the same id: it counts once.
  const { isDuplicate } = await tree.sendDurably('house/counter', { type: 'add' }, { id: 'bonus' });
  const count = tree.snapshotOf('house/counter')?.context.count;
  console.log(`run ${run}: ${count}${isDuplicate ? '' : ', the bonus counted'}`);
  process.kill(process.pid, 'SIGKILL');
}

const [, program = '', run] = process.argv;
if (run === undefined)
  for (let next = 1; next <= 3; next++) {
    const died = spawnSync(process.execPath, [program, String(next)], { encoding: 'utf8' });
    console.log(died.stdout.trim(), `(${died.signal})`);
  }
else await countAndDie(Number(run));
