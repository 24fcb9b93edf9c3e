/**
 * A process of its own that writes to a control plane until it is killed, and says on a line of its
 * output what was acknowledged. Arguments: the file, how it writes, its name.
 *
 * `publish`: plans of `hello`; prints each generation. `record`: in each round an instance and its
 * endpoint, then away with the one before; prints the round.
 */
import { writeSync } from 'node:fs';
import { createFabric } from '../../runtime/adapters/fabric.sqlite.ts';
import { systemClock } from '../../runtime/adapters/clock.system.ts';
import { endpointOf, planRequest } from './fabric-world.ts';
import { instanceRecord } from './workload-samples.ts';

const [path = '', manner = 'publish', name = 'writer', rounds = 'Infinity'] = process.argv.slice(2);
const fabric = createFabric({ path, clock: systemClock });
// Not through a stream: what is printed has left the process before the next write begins.
const say = (text: number): number => writeSync(1, `${text}\n`);

for (let round = 1; round <= Number(rounds); round++) {
  if (manner === 'publish') {
    const { generation } = await fabric.publishPlan(planRequest({ version: `${name}-${round}` }));
    say(generation);
    continue;
  }
  const record = instanceRecord({ instance: `${name}-${round}`, createdAtMs: round });
  await fabric.recordInstance(record);
  await fabric.switchEndpoints([endpointOf(record)], [`${name}-${round - 1}`]);
  await fabric.forgetInstance(`${name}-${round - 1}`);
  say(round);
}
await fabric.close();
