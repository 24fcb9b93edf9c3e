import { peerStoreKeepingSuite } from './peer-store-keeping.suite.ts';
import { peerStoreMessagesSuite } from './peer-store-messages.suite.ts';
import type { MakePeerStoreWorld } from './peer-store-world.ts';

/** All that a peer's store owes, whatever it is kept in. */
export function peerStoreSuite(name: string, create: MakePeerStoreWorld): void {
  peerStoreMessagesSuite(name, create);
  peerStoreKeepingSuite(name, create);
}
