import { createActor, toPromise } from 'xstate';
import { describe, expect, it } from 'vitest';
import { createInstanceLogic } from '../../../actors/workload/instance.actor.ts';
import { composeMesh } from '../../../runtime/compose.ts';
import { scratch } from '../../support/scratch.ts';
import { instanceRecord } from '../../support/workload-samples.ts';

/** A process of another boot: no process of this machine is it. */
const GONE = { pid: 1, startTicks: 1, bootId: 'another', token: '00'.repeat(16) };

describe('instance', () => {
  it('says of a recorded process that does not run any more that it is gone', async () => {
    using dir = scratch();
    const parts = await composeMesh({ home: dir.path, port: 0, nodes: 1 });
    const record = instanceRecord({ role: 'active', process: GONE, port: 9 });
    await parts.fabric.recordInstance(record);
    const logic = createInstanceLogic(parts.ports);
    const actor = createActor(logic, { input: { record, adopt: true } });
    const ended = toPromise(actor);
    actor.start();
    expect(await ended).toMatchObject({ failure: { code: 'MESH_ERR_INSTANCE_GONE' } });
    expect(await parts.fabric.instances()).toEqual([]);
    await parts.pool.close();
    await parts.fabric.close();
  });
});
