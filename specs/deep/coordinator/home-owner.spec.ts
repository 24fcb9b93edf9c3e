/** A mesh that is its own owner, over restarts and over steps that were lost in between. */
import { mkdirSync, rmSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCoordinatorConfig } from '../../../runtime/coordinator/coordinator-config.ts';
import { publicBytesOf, readOwnerKey } from '../../../runtime/coordinator/owner-keys.ts';
import { setManifest } from '../../../actors/coordinator/set-manifest.ts';
import { composeMeshCoordinator } from '../../../runtime/coordinator/mesh-coordinator.ts';
import { createLateTree } from '../../../runtime/late-tree.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { systemRandom } from '../../../runtime/adapters/random.system.ts';
import { createTree } from '../../../supervisor/index.ts';
import { scratch } from '../../support/scratch.ts';

const policyNamed = (name: string) => ({ name, role: 'workload', san: ['a'] });
const NODE_KEY = 'ab'.repeat(32);

type Parts = Awaited<ReturnType<typeof composeMeshCoordinator>>;

/** Starts it as part of a tree, does something with it, tells how it is, and ends it. */
async function stateAfterStart(
  folder: string,
  workloads: readonly string[] = [],
  use: (parts: Parts) => Promise<unknown> = async () => undefined,
) {
  const { fill, supervision } = createLateTree();
  const notices: string[] = [];
  const parts = await composeMeshCoordinator(
    {
      folder,
      logger: ({ level, message }) => void (level === 'warn' && notices.push(message)),
      owner: {
        trustDomain: 'mesh.local',
        nodeKeys: [NODE_KEY],
        workloads: workloads.map((digest) => ({ digest, app: 'hello' })),
      },
    },
    supervision,
  );
  const tree = createTree(
    { id: 'mesh', type: 'supervisor', children: [parts.spec] },
    { clock: systemClock, random: systemRandom },
  );
  fill(tree);
  await tree.start();
  await use(parts);
  const { state, generation, authority } = await parts.view();
  await tree.stop();
  await parts.close();
  return { state, generation, root: authority?.root.fingerprint, notices };
}

describe('createHomeOwner', () => {
  it('sets a manifest on first use, recovers on every other, and updates what changed', async () => {
    using dir = scratch();
    const folder = dir.file('coordinator');
    const first = await stateAfterStart(folder);
    expect(first).toMatchObject({ state: 'ready', generation: 1, notices: [] });
    expect(await stateAfterStart(folder)).toEqual(first);
    const more = await stateAfterStart(folder, ['cd'.repeat(32)]);
    expect(more).toEqual({ ...first, generation: 2 });
    for (const file of ['seed-share', 'first-set.json', 'keys/seed-share-owner.key'])
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  });

  it('lets a spore in when it is about to run, and leaves what somebody set by hand', async () => {
    using dir = scratch();
    const folder = dir.file('coordinator');
    const [one, two] = ['01'.repeat(32), '02'.repeat(32)];
    const first = await stateAfterStart(folder, [one], async ({ admit }) => {
      await Promise.all([
        admit({ digest: two, app: 'other' }),
        admit({ digest: two, app: 'other' }),
        admit({ digest: one, app: 'hello' }),
      ]);
    });
    expect(first).toMatchObject({ state: 'ready', generation: 2, notices: [] });
    // Nothing is missing any more, so nothing is set, also without naming it again.
    expect(await stateAfterStart(folder)).toMatchObject({ generation: 2 });
    const byHand = await stateAfterStart(folder, [], async ({ ports }) => {
      const { manifest, record } = ports.cell.take();
      const policies = { ...manifest.policies, [two]: { ...policyNamed('renamed') } };
      const owner = readOwnerKey(join(folder, 'keys', 'workload-owner.key'), 'workload-owner');
      await setManifest(ports, {
        manifest: new TextEncoder().encode(JSON.stringify({ ...manifest, policies })),
        policies: [],
        previous: record.transition,
        idempotencyKey: 'ab'.repeat(16),
        callerKey: publicBytesOf(owner),
      });
    });
    expect(byHand).toMatchObject({ generation: 3 });
    await stateAfterStart(folder, [one, two], async ({ ports }) => {
      expect(ports.cell.take().manifest.policies[two]?.name).toBe('renamed');
    });
  });

  it('says why it cannot let a spore in, and goes on', async () => {
    using dir = scratch();
    const after = await stateAfterStart(dir.file('coordinator'), [], ({ admit }) =>
      admit({ digest: 'no digest', app: 'hello' }),
    );
    expect(after).toMatchObject({ state: 'ready', generation: 1 });
    expect(after.notices.join()).toContain('naming hello in the mesh manifest');
  });

  it('fetches its share again when it was lost before it was kept', async () => {
    using dir = scratch();
    const folder = dir.file('coordinator');
    const share = join(folder, 'seed-share');
    // A folder in its place lets the write fail, as a full disk would.
    mkdirSync(share, { recursive: true });
    const first = await stateAfterStart(folder);
    expect(first).toMatchObject({ state: 'ready', generation: 1 });
    expect(first.notices.join()).toContain('putting the Coordinator in order');
    rmdirSync(share);
    expect(await stateAfterStart(folder)).toEqual({ ...first, notices: [] });
  });

  it('says what is wrong, and serves nothing, when its share is gone for good', async () => {
    using dir = scratch();
    const folder = dir.file('coordinator');
    await stateAfterStart(folder);
    rmSync(join(folder, 'seed-share'));
    const lost = await stateAfterStart(folder);
    expect(lost).toMatchObject({ state: 'recovering', generation: null });
    expect(lost.notices.join()).toContain('putting the Coordinator in order');
  });
});

describe('readCoordinatorConfig', () => {
  it('says that a folder holds no Coordinator', () => {
    using dir = scratch();
    expect(() => readCoordinatorConfig(dir.path)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_COORDINATOR_CONFIG' }),
    );
  });
});
