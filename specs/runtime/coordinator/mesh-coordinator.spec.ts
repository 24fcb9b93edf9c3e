import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeKeyOf } from '../../../runtime/certificates/coordinator-link.ts';
import { connectControl } from '../../../runtime/control/client.ts';
import { serveControl } from '../../../runtime/control/server.ts';
import { runningIn } from '../../../runtime/coordinator/coordinator-config.ts';
import { startMesh } from '../../../runtime/mesh.ts';
import { scratch } from '../../support/scratch.ts';

describe('startMesh({ ownCoordinator })', () => {
  it('runs it in its own tree, asks it for certificates, and shows it over its socket', async () => {
    using dir = scratch();
    const home = dir.file('home');
    const folder = join(home, 'coordinator');
    const { publicKey } = await nodeKeyOf(home);
    const nodeKeys = [Buffer.from(publicKey).toString('hex')];
    const owner = { trustDomain: 'mesh.local', nodeKeys, workloads: [] };
    const mesh = await startMesh({ home, port: 0, nodes: 1, ownCoordinator: { folder, owner } });
    const server = await serveControl(mesh, { home });
    try {
      const { state: running, children } = await mesh.describe();
      expect([running, children[1]?.path]).toEqual(['running', 'mesh/coordinator']);
      const view = await connectControl(home).coordinator();
      const connections: unknown = expect.anything();
      expect(view).toEqual({ ...(await mesh.coordinator()), connections });
      expect(view).toMatchObject({ state: 'ready', reason: null, generation: 1 });
      expect(await runningIn(folder)).toMatchObject({ ...view?.address, state: 'ready' });
      await expect
        .poll(async () => (await mesh.certificates()).map(({ state }) => state))
        .toEqual(['valid']);
    } finally {
      await server.close();
      await mesh.stop();
    }
    expect(await runningIn(folder)).toBeUndefined();
  });

  it('says over its socket that a mesh has none', async () => {
    using dir = scratch();
    const mesh = await startMesh({ home: dir.path, port: 0, nodes: 1 });
    const server = await serveControl(mesh, { home: dir.path });
    try {
      expect(await connectControl(dir.path).coordinator()).toBeUndefined();
    } finally {
      await server.close();
      await mesh.stop();
    }
  });
});
