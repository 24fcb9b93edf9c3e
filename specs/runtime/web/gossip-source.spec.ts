import { describe, expect, it } from 'vitest';
import { startPeer } from '../../../runtime/gossip/peer/start-peer.ts';
import { gossipOf } from '../../../runtime/web/views/gossip-source.ts';
import { scratch } from '../../support/scratch.ts';

/** Nobody listens there; what is written waits. */
const RELAY = 'http://127.0.0.1:9';
const KEY = `d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a`;

describe('gossipOf', () => {
  it('shows nothing where no peer runs', async () => {
    using dir = scratch();
    const source = gossipOf(dir.path);
    const seen = await Promise.all([source.messages(), source.peers(), source.relay()]);
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  it('shows public messages newest first, peers and the relay of one that runs', async () => {
    using dir = scratch();
    const peer = await startPeer({ home: dir.path, relay: RELAY });
    try {
      await peer.addPeer({ publicKey: KEY, name: 'ada' });
      for (const text of ['first', 'second']) await peer.post({ text });
      await peer.send({ to: 'ada', text: 'for ada alone' });
      const source = gossipOf(dir.path);
      expect(await source.messages()).toMatchObject([
        { text: 'second', kind: 'public', isVerified: true },
        { text: 'first' },
      ]);
      expect(await source.peers()).toMatchObject([{ peer: 'ada', address: null }]);
      expect(await source.relay()).toMatchObject({ address: expect.stringContaining(RELAY) });
    } finally {
      await peer.stop();
    }
  });
});
