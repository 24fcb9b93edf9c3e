/** Peers and a relay as processes: what is said reaches everybody, whoever sleeps, dies or lies. */
import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { peerPaths } from '../../runtime/gossip/peer/peer-home.ts';
import { eventually, moment } from '../support/gossip/eventually.ts';
import { LIES, createLiar } from '../support/gossip/liar.ts';
import { peerProcesses } from '../support/gossip/peer-process.ts';
import type { PeerProcess } from '../support/gossip/peer-process.ts';

/** Time runs so much faster: a minute's patience for an answer is six seconds. */
const CALM = 10;
/** And here one and a half, because every death costs one. */
const HASTE = 40;

const texts = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `message ${String(from + index)}`);

async function postAll(peer: PeerProcess, all: readonly string[]): Promise<void> {
  // Those that are asked for together share a sync of the disk.
  for (let from = 0; from < all.length; from += 100)
    await Promise.all(all.slice(from, from + 100).map((text) => peer.control.post({ text })));
}

const hasAll = (peer: PeerProcess, count: number) => async (): Promise<boolean> =>
  (await peer.control.info()).counts['messages'] === count;

describe('peers as processes', () => {
  it('reach one that was away, also with messages of a stranger who is gone', async () => {
    await using mesh = await peerProcesses(CALM);
    const alice = await mesh.peer('alice');
    await postAll(alice, texts(0, 30));
    const bob = await mesh.peer('bob', [alice]);
    await eventually('bob has what alice said', hasAll(bob, 30));
    await alice.stop();
    const carol = await mesh.peer('carol', [bob]);
    await eventually('carol has it from bob', hasAll(carol, 30));
    const rows = await carol.control.messages({ limit: 100 });
    expect(rows.map(({ text }) => text).toSorted()).toEqual(texts(0, 30).toSorted());
    expect(rows.every(({ isVerified, authorName }) => isVerified && authorName === null)).toBe(
      true,
    );
    expect((await carol.control.info()).counts['quarantined']).toBe(0);
  });

  it('give 1,200 messages page by page, and to two askers at once', async () => {
    await using mesh = await peerProcesses(CALM);
    const [alice, bob, carol] = await Promise.all([
      mesh.peer('alice'),
      mesh.peer('bob', [], { reconciles: false }),
      mesh.peer('carol'),
    ]);
    await postAll(alice, texts(0, 1_200));
    await Promise.all(
      [bob, carol].map((one) => one.control.addPeer({ publicKey: alice.key, name: 'alice' })),
    );
    await eventually('bob has it all, by pages', hasAll(bob, 1_200));
    await eventually('carol has it all, by reconciling', hasAll(carol, 1_200));
    const due = texts(0, 1_200).toSorted();
    expect((await bob.texts()).toSorted()).toEqual(due);
    expect((await carol.texts()).toSorted()).toEqual(due);
    const [row] = await bob.control.peers();
    expect(row?.misbehaved).toBe(0);
  });

  it('forget a message on both sides when its time has come', async () => {
    await using mesh = await peerProcesses(CALM);
    const [alice, bob, carol] = await Promise.all(
      ['alice', 'bob', 'carol'].map((name) => mesh.peer(name)),
    );
    if (!alice || !bob || !carol) throw new Error('Three were asked for.');
    const knowsAlice = (one: PeerProcess) =>
      one.control.addPeer({ publicKey: alice.key, name: 'alice' });
    await alice.control.post({ text: 'short', ttlSeconds: 4 * CALM });
    await alice.control.post({ text: 'long' });
    await knowsAlice(bob);
    await eventually('bob has both', hasAll(bob, 2));
    await eventually('alice has one', hasAll(alice, 1));
    await eventually('bob has one', hasAll(bob, 1));
    await knowsAlice(carol);
    await eventually('carol has one', hasAll(carol, 1));
    expect(await carol.texts()).toEqual(['long']);
    expect(await bob.texts()).toEqual(['long']);
  });

  it('refill one that lost its database, with its own words too', async () => {
    await using mesh = await peerProcesses(CALM);
    const alice = await mesh.peer('alice');
    const bob = await mesh.peer('bob', [alice]);
    await postAll(alice, texts(0, 20));
    await postAll(bob, texts(20, 40));
    await alice.control.addPeer({ publicKey: bob.key, name: 'bob' });
    await eventually('alice has it all', hasAll(alice, 40));
    await bob.kill();
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(peerPaths(bob.home).store + suffix, { force: true });
    await bob.start();
    expect(await bob.texts()).toEqual([]);
    await bob.control.addPeer({ publicKey: alice.key, name: 'alice' });
    await eventually('bob has it all again', hasAll(bob, 40));
    expect((await bob.texts()).toSorted()).toEqual(texts(0, 40).toSorted());
  });

  it('agree in the end, whoever of relay, asker and asked is killed meanwhile', async () => {
    await using mesh = await peerProcesses(HASTE);
    const alice = await mesh.peer('alice');
    const bob = await mesh.peer('bob', [], { reconciles: false });
    await postAll(alice, texts(0, 300));
    await bob.control.addPeer({ publicKey: alice.key, name: 'alice' });
    const victims = [bob, alice, 'relay', bob, 'relay', alice] as const;
    let kills = 0;
    for (const [round, victim] of victims.entries()) {
      // Each round dies at another step of the session.
      await moment(15 + 35 * round);
      if (victim === 'relay') {
        await mesh.killRelay();
        await mesh.startRelay();
      } else {
        await victim.kill();
        await victim.start();
      }
      kills++;
      await postAll(alice, [`after death ${String(round)}`]);
    }
    expect(kills).toBe(6);
    const missing = async (): Promise<string[]> => {
      const here = new Set(await bob.texts());
      return texts(0, 300).filter((text) => !here.has(text));
    };
    await eventually('bob has all that was there', async () => (await missing()).length === 0);
    const all = await bob.texts();
    expect(new Set(all).size).toBe(all.length);
    const { refusals } = await bob.control.info();
    expect(refusals['MESH_ERR_ENVELOPE_SIGNATURE'] ?? 0).toBe(0);
  });
});

describe('a peer that lies', () => {
  it('gets nothing in but what is its own to say, and everything is counted', async () => {
    await using mesh = await peerProcesses(CALM);
    const [victim, honest] = await Promise.all([mesh.peer('victim'), mesh.peer('honest')]);
    const { peerId } = await victim.control.info();
    using liar = createLiar({ ...mesh, victim: peerId });
    await victim.control.addPeer({ publicKey: liar.key, name: 'liar' });
    await honest.control.post({ text: 'true' });
    await liar.answerOnce('the liar says so');
    await eventually('the good one is there', async () => (await victim.texts()).length > 0);
    await liar.makeNoise();
    await eventually('the noise is counted', async () => {
      const { refusals } = await victim.control.info();
      return 'MESH_ERR_GOSSIP_META' in refusals;
    });
    expect(await victim.texts()).toEqual(['the liar says so']);
    const { refusals } = await victim.control.info();
    for (const code of LIES) expect(refusals[code] ?? 0, code).toBeGreaterThan(0);
    // Who lies about one keeps nobody from another.
    await victim.control.addPeer({ publicKey: honest.key, name: 'honest' });
    await eventually('the honest one is heard', async () =>
      (await victim.texts()).includes('true'),
    );
  });
});
