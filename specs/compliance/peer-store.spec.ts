import type { PeerStore } from '../../actors/gossip/ports/peer-store.ts';
import { openPeerStore } from '../../runtime/adapters/peer-store.sqlite.ts';
import { NOW_MS } from '../support/gossip/letters.ts';
import { scratch } from '../support/scratch.ts';
import { peerStoreSuite } from './peer-store.suite.ts';
import type { PeerStoreWorld } from './peer-store-world.ts';

const clock = {
  now: () => NOW_MS,
  monotonicNow: () => 0,
  setTimeout: () => undefined,
  clearTimeout: () => {},
};

function inFile(): PeerStoreWorld {
  const folder = scratch();
  let last: PeerStore | undefined;
  return {
    open: async () => {
      // The lock of a program that died is free at once; here it lives, so it must let go.
      await last?.close();
      return (last = await openPeerStore({ path: folder.file('peer.sqlite'), clock }));
    },
    [Symbol.asyncDispose]: async () => {
      await last?.close();
      folder[Symbol.dispose]();
    },
  };
}

peerStoreSuite('in a file', inFile);
