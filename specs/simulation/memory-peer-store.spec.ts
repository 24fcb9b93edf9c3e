import { peerStoreSuite } from '../compliance/peer-store.suite.ts';
import { MemoryPeerStore } from './memory-peer-store.ts';
import { emptyDisk } from './peer-disk.ts';

peerStoreSuite('in memory', () => {
  const disk = emptyDisk(1);
  return {
    open: async () => new MemoryPeerStore(disk),
    [Symbol.asyncDispose]: async () => undefined,
  };
});
