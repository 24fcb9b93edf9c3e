import { describe, expect, it } from 'vitest';
import { startMesh } from '../../runtime/mesh.ts';
import { scratch } from '../support/scratch.ts';
import { until } from '../support/until.ts';

const startIn = (home: string, peer = {}) => startMesh({ home, port: 0, nodes: 1, peer });

describe('startMesh with a peer', () => {
  it('has it in its tree and in its metrics, at a relay of its own', async () => {
    using folder = scratch();
    const mesh = await startIn(folder.file('home'), { meshId: 'home' });
    try {
      await mesh.peer?.post({ text: 'here I am' });
      const info = await mesh.peer?.info();
      expect(info).toMatchObject({ meshId: 'home', pid: process.pid });
      expect(info?.relay?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      const gossip = (await mesh.describe()).children.find(({ id }) => id === 'gossip');
      expect(gossip?.children.map(({ id }) => id)).toEqual([
        'requesters',
        'responders',
        'outbox',
        'expiry',
        'inbox',
        'sync',
      ]);
      const lines = (await mesh.metrics()).split('\n');
      expect(lines).toContain('mesh_peer_rows{table="messages"} 1');
      expect(lines).toContain('mesh_actors{machine="inbox",status="running"} 1');
    } finally {
      await mesh.stop();
    }
  });

  it('goes on without it when it gives up, and says so', async () => {
    using folder = scratch();
    const said: string[] = [];
    const mesh = await startMesh({
      home: folder.file('home'),
      port: 0,
      nodes: 1,
      peer: {},
      logger: ({ message }) => said.push(message),
    });
    try {
      await mesh.tree.terminateChild('mesh', 'gossip');
      await until(() => said.some((line) => line.startsWith('the peer of this node ended')));
      expect((await mesh.info()).nodes).toEqual(['node-1']);
      // What is there can still be read.
      expect(await mesh.peer?.messages()).toEqual([]);
    } finally {
      await mesh.stop();
    }
  });

  it('does not start where its relay is none, and leaves nothing behind', async () => {
    using folder = scratch();
    const home = folder.file('home');
    await expect(startIn(home, { relay: 'nowhere' })).rejects.toMatchObject({
      code: 'MESH_ERR_PEER_RELAY',
    });
    const mesh = await startIn(home);
    await mesh.stop();
  });
});
