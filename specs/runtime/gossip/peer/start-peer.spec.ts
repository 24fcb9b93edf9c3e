import { existsSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PeerOptions } from '../../../../runtime/gossip/peer/start-peer.ts';
import { startPeer } from '../../../../runtime/gossip/peer/start-peer.ts';
import { peerPaths } from '../../../../runtime/gossip/peer/peer-home.ts';
import { connectPeer } from '../../../../runtime/gossip/peer/socket/client.ts';
import { needRunningPeer, withDesk } from '../../../../runtime/gossip/peer/with-desk.ts';
import { send, sendTo } from '../../../../runtime/control/call.ts';
import { eventually } from '../../../support/gossip/eventually.ts';
import { fastClock } from '../../../support/gossip/fast-clock.ts';
import { relayWorld } from '../../../support/gossip/relay-world.ts';
import { scratch } from '../../../support/scratch.ts';

/** Two peers at one relay, whose patience is ten times shorter. */
async function peers(options: Partial<PeerOptions> = {}) {
  const folder = scratch();
  const clock = fastClock(Date.now(), 10);
  const relay = await relayWorld({ clock });
  const start = (name: string) =>
    startPeer({ home: folder.file(name), relay: relay.relay.url, clock, ...options });
  const [alice, bob] = await Promise.all([start('alice'), start('bob')]);
  return {
    folder,
    alice,
    bob,
    start,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([alice.stop(), bob.stop()]);
      await relay[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

async function lastOf<Value>(values: AsyncIterable<Value>): Promise<Value | undefined> {
  let last: Value | undefined;
  for await (const value of values) last = value;
  return last;
}

describe('startPeer', () => {
  it('brings what another has said, and says how that went', async () => {
    await using at = await peers();
    for (const text of ['one', 'two']) await at.alice.post({ text });
    const { publicKey, peerId } = await at.alice.info();
    await at.bob.addPeer({ publicKey, name: 'alice' });
    const step = await lastOf(at.bob.sync({}));
    expect(step).toMatchObject({
      isEnded: true,
      peers: [{ peerId, name: 'alice', state: 'ended', outcome: 'done', stored: 2, missing: 0 }],
    });
    expect((await at.bob.messages()).map(({ text }) => text).toSorted()).toEqual(['one', 'two']);
    // Asked again at once, nobody is asked again.
    expect((await lastOf(at.bob.sync({ peer: 'alice' })))?.peers[0]?.outcome).toBe('interval');
    await expect(lastOf(at.bob.sync({ peer: 'nobody' }))).rejects.toMatchObject({
      code: 'MESH_ERR_PEER_UNKNOWN',
    });
    expect(await at.bob.info()).toMatchObject({
      relay: { state: 'reachable' },
      tallies: { messagesStored: 2, sessionsDone: 1 },
      refusals: {},
    });
    expect(await at.bob.peers()).toMatchObject([{ name: 'alice', outcome: 'done' }]);
  });

  it('answers on its socket as it does in its process, for its owner only', async () => {
    await using at = await peers();
    const { socket } = peerPaths(at.folder.file('alice'));
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    const remote = connectPeer(socket);
    expect(await remote.info()).toMatchObject({ peerId: (await at.alice.info()).peerId });
    const { id } = await remote.post({ text: 'over the socket' });
    const end = new AbortController();
    for await (const message of remote.tail(0, end.signal)) {
      expect(message).toMatchObject({ id, text: 'over the socket' });
      break;
    }
    end.abort();
    expect(await lastOf(remote.sync({}))).toEqual({ peers: [], isEnded: true });
    await expect(remote.removePeer('nobody')).rejects.toMatchObject({
      code: 'MESH_ERR_PEER_UNKNOWN',
    });
    await expect(remote.messages({ limit: 0 })).rejects.toMatchObject({
      code: 'MESH_ERR_CONTROL_INVALID_REQUEST',
    });
    const target = { operation: 'explode', method: 'POST', path: '/v1/peer/explode' };
    expect((await sendTo(socket, target, {}, undefined)).statusCode).toBe(404);
    expect((await send(socket, 'ps', {}, undefined, undefined)).statusCode).toBe(404);
  });

  it('keeps its store to itself, and its desk open to commands', async () => {
    await using at = await peers();
    const home = at.folder.file('alice');
    await expect(at.start('alice')).rejects.toMatchObject({ code: 'MESH_ERR_PEER_STORE_LOCKED' });
    const { id } = await withDesk(home, 'mesh', (desk) => desk.post({ text: 'a command says' }));
    expect((await at.alice.messages()).map((row) => row.id)).toEqual([id]);
    await at.alice.stop();
    await at.alice.stop();
    expect(existsSync(peerPaths(home).socket)).toBe(false);
    await expect(needRunningPeer(home)).rejects.toMatchObject({
      code: 'MESH_ERR_PEER_NOT_RUNNING',
    });
    await withDesk(home, 'mesh', (desk) => desk.post({ text: 'and nobody runs it' }));
    const again = await at.start('alice');
    expect((await again.messages()).map(({ text }) => text)).toEqual([
      'a command says',
      'and nobody runs it',
    ]);
    await again.stop();
  });

  it('refuses an address that is no relay', async () => {
    using folder = scratch();
    const options = { home: folder.file('home'), relay: 'somewhere' };
    await expect(startPeer(options)).rejects.toMatchObject({ code: 'MESH_ERR_PEER_RELAY' });
  });

  it('says that a relay is away, and when it is back', async () => {
    using folder = scratch();
    const clock = fastClock(Date.now(), 10);
    await using relay = await relayWorld({ clock });
    const { port, url } = relay.relay;
    expect(port).toBeGreaterThan(0);
    await relay.relay.stop();
    const peer = await startPeer({ home: folder.file('home'), relay: url, clock });
    try {
      const isNow = (state: string) => async (): Promise<boolean> =>
        (await peer.info()).relay?.state === state;
      await eventually('it says that the relay is away', isNow('unreachable'));
      await relay.restart();
      await eventually('it says that the relay is back', isNow('reachable'));
    } finally {
      await peer.stop();
    }
  });
});
