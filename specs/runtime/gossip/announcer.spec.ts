import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { openPeerStore } from '../../../runtime/adapters/peer-store.sqlite.ts';
import {
  Announcer,
  BURST_MAX,
  POST_PERIOD_MS,
} from '../../../runtime/gossip/announce/announcer.ts';
import { createPeerKey } from '../../../runtime/gossip/envelope-codec.ts';
import { createDesk } from '../../../runtime/gossip/peer/desk.ts';
import { peerPaths } from '../../../runtime/gossip/peer/peer-home.ts';
import { createSigner } from '../../../runtime/gossip/signer.ts';
import { inMemory, join, planRequest, slotReport } from '../../support/fabric-world.ts';
import { DIGEST_B } from '../../support/workload-samples.ts';

const { secretKey } = nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(5));
const reason = {
  code: 'MESH_ERR_INSTANCE_EXITED',
  message: 'The process said PASSWORD=hunter2.',
  logTail: ['PASSWORD=hunter2'],
};

async function announcing() {
  const world = inMemory();
  const { fabric, clock } = world;
  await join(world, 'node-1');
  const signer = createSigner('mesh', createPeerKey(secretKey));
  const store = await openPeerStore({ path: ':memory:', clock });
  const paths = peerPaths('/nowhere');
  const desk = createDesk({ store, signer, secretKey, clock, home: '/nowhere', paths });
  const noticed: unknown[] = [];
  const parts = { fabric, desk, store, clock, notice: (_: string, e: unknown) => noticed.push(e) };
  let announcer = new Announcer(parts);
  return {
    ...world,
    noticed,
    announcer: () => announcer,
    restart: async () => {
      await announcer.stop();
      announcer = new Announcer(parts);
    },
    said: async () => {
      await announcer.settled();
      return (await desk.messages({ limit: 1_000 })).map(({ text }) => text);
    },
    [Symbol.asyncDispose]: async () => {
      await announcer.stop();
      await store.close();
      await fabric.close();
    },
  };
}

describe('Announcer', () => {
  it('posts a deployment when it has ended, once, also over a restart', async () => {
    await using world = await announcing();
    await world.fabric.publishPlan(planRequest());
    await world.fabric.reportSlot(slotReport());
    expect(await world.said()).toEqual([]);
    await world.fabric.endDeployment('hello', 1, 'succeeded', null);
    const text = expect.stringMatching(
      /^deployed hello 1\.0\.0 \([0-9a-f]{12}\), generation 1, 1 of 1 serve$/,
    ) as string;
    expect(await world.said()).toEqual([text]);
    await world.restart();
    await world.fabric.reportSlot(slotReport({ restarts: 1 }));
    expect(await world.said()).toEqual([text]);
  });

  it('says of a revert and of a failure why, by its code, and nothing that a program printed', async () => {
    await using world = await announcing();
    await world.fabric.publishPlan(planRequest());
    await world.fabric.endDeployment('hello', 1, 'reverted', reason);
    const [first] = await world.said();
    expect(first).toContain('failed to deploy hello 1.0.0');
    const good = await world.fabric.publishPlan(planRequest());
    await world.fabric.endDeployment('hello', good.generation, 'succeeded', null);
    const next = planRequest({ digest: DIGEST_B, version: '2.0.0' });
    const bad = await world.fabric.publishPlan(next);
    await world.fabric.endDeployment('hello', bad.generation, 'reverted', reason);
    const said = await world.said();
    expect(said.join('\n')).toContain('reverted hello 2.0.0');
    expect(said.join('\n')).toContain(': MESH_ERR_INSTANCE_EXITED');
    expect(said.join('\n')).not.toContain('hunter2');
  });

  it('posts a crash loop once an hour, and its end', async () => {
    await using world = await announcing();
    await world.fabric.publishPlan(planRequest());
    const loop = slotReport({ state: 'crash_looping', reason, restarts: 5 });
    await world.fabric.reportSlot(loop);
    await world.fabric.reportSlot({ ...loop, restarts: 6 });
    expect(await world.said()).toEqual([
      'hello is in a crash loop on node-1, restarted 5 times: MESH_ERR_INSTANCE_EXITED',
    ]);
    await world.fabric.reportSlot(slotReport({ state: 'launching', restarts: 6 }));
    await world.fabric.reportSlot(slotReport({ restarts: 6 }));
    await world.fabric.reportSlot(slotReport({ restarts: 6, updatedAtMs: 1 }));
    expect((await world.said()).slice(1)).toEqual([
      'hello serves again on node-1 after its crash loop',
    ]);
  });

  it('withholds what is over its rate, and says how much that was', async () => {
    await using world = await announcing();
    for (let app = 0; app < BURST_MAX + 4; app++) {
      await world.fabric.publishPlan(planRequest({ app: `app-${String(app)}` }));
      await world.fabric.endDeployment(`app-${String(app)}`, 1, 'succeeded', null);
      await world.announcer().settled();
    }
    expect(await world.said()).toHaveLength(BURST_MAX);
    expect(world.announcer().counts()).toEqual({ posted: BURST_MAX, withheld: 4 });
    await world.clock.advance(POST_PERIOD_MS);
    await world.fabric.publishPlan(planRequest({ app: 'last' }));
    await world.fabric.endDeployment('last', 1, 'succeeded', null);
    const last = (await world.said()).at(-1);
    expect(last).toMatch(/^deployed last .*\n\(4 further events were not posted\)$/);
  });

  it('forgets an app that was removed, and hears nothing after its stop', async () => {
    await using world = await announcing();
    await world.fabric.publishPlan(planRequest());
    await world.fabric.stopApp('hello');
    await world.fabric.removeApp('hello');
    await world.announcer().stop();
    await world.fabric.publishPlan(planRequest());
    await world.fabric.endDeployment('hello', 1, 'succeeded', null);
    expect(await world.said()).toEqual([]);
    expect(world.noticed).toEqual([]);
  });
});
