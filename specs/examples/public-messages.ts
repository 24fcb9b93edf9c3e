import { startPeer, startRelay } from 'mycelium-mesh';

// One relay, and two peers that know of each other by key. Usually these are three machines.
const relay = await startRelay({ path: 'relay.sqlite' });
const alice = await startPeer({ home: 'alice', relay: relay.url });
await alice.post({ text: 'the door is open' });

// Bob was away when that was said. He asks, and is told how it goes.
const bob = await startPeer({ home: 'bob', relay: relay.url });
const { publicKey } = await alice.info();
await bob.addPeer({ publicKey, name: 'alice' });
for await (const { peers, isEnded } of bob.sync({}))
  if (isEnded) console.log(`alice: ${peers[0]?.outcome}, ${peers[0]?.stored} received`);

for await (const { text, authorName, isVerified } of bob.tail(0)) {
  console.log(`${authorName}: ${text} (${isVerified ? 'verified' : 'not verified'})`);
  break;
}
await bob.stop();
await alice.stop();
await relay.stop();
