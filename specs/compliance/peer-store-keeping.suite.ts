import { describe, expect, it } from 'vitest';
import { expiresAt } from '../../machines/gossip/envelope.ts';
import { TTL_SECONDS_MAX } from '../../machines/gossip/limits.ts';
import { CLOCK_SKEW_MS } from '../../machines/gossip/session-limits.ts';
import { NOW_MS, metaMessage, publicMessage, samplePeer } from '../support/gossip/letters.ts';
import { idsOf, item, settlement, tombstoneOf } from './peer-store-world.ts';
import type { MakePeerStoreWorld } from './peer-store-world.ts';

const [ann, bob] = [samplePeer(1), samplePeer(2)];
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const peerOf = (peer: typeof ann, name: string | null = null) => ({
  peerId: peer.id,
  publicKey: hex(peer.publicKey),
  name,
});
const SESSION = { sessionId: '5'.repeat(32), startedAtMs: NOW_MS, sinceMs: NOW_MS - 1000 };
const asked = { queriedAtMs: NOW_MS, open: null, name: null, peerId: ann.id, misbehaved: 0 };

/** What every peer's store keeps of the feed, of peers and of mail, and what it lets go. */
export function peerStoreKeepingSuite(name: string, create: MakePeerStoreWorld): void {
  describe(`PeerStore feeds (${name})`, () => {
    it('gives each message a row that only grows, and a verified one a new row', async () => {
      await using world = create();
      const store = await world.open();
      const told: number[] = [];
      const stop = store.onFeed((row) => told.push(row));
      const [mine, strange] = [publicMessage(ann), publicMessage(bob)];
      const first = settlement({ verified: [item(mine)], quarantined: [item(strange)] });
      await store.settle(first);
      const before = await store.feed(0, 10);
      expect(before.map(({ envelope, isVerified }) => [envelope, isVerified])).toEqual([
        [mine, true],
        [strange, false],
      ]);
      const last = before.at(-1)?.row ?? 0;
      expect(told.at(-1)).toBe(last);
      await store.settle(settlement({ verified: [item(strange)] }));
      const after = await store.feed(last, 10);
      expect(after).toMatchObject([{ envelope: strange, isVerified: true, storedAtMs: NOW_MS }]);
      expect(await store.feed(0, 1)).toMatchObject([{ envelope: mine }]);
      expect(await store.feedTail(1)).toEqual(after);
      stop();
      await store.settle(settlement({ verified: [item(publicMessage(ann, 1))] }));
      expect(told.at(-1)).toBe(after.at(-1)?.row);
    });

    it('uses no row twice, also when the newest was removed and the program died', async () => {
      await using world = create();
      const store = await world.open();
      await store.settle(settlement({ verified: [item(publicMessage(ann))] }));
      const [{ row } = { row: 0 }] = await store.feed(0, 10);
      await store.prune(expiresAt(publicMessage(ann).header), 10);
      const next = await world.open();
      await next.settle(settlement({ verified: [item(publicMessage(ann, 1))] }));
      const [later] = await next.feed(0, 10);
      expect(later?.row).toBeGreaterThan(row);
    });
  });

  describe(`PeerStore knows peers (${name})`, () => {
    it('adds, names, lists and removes them, and keeps their keys', async () => {
      await using world = create();
      const store = await world.open();
      for (const peer of [peerOf(ann, 'Ann'), peerOf(bob), peerOf(ann)]) await store.addPeer(peer);
      const next = await world.open();
      const all = await next.peers();
      expect(all.map(({ peerId }) => peerId)).toEqual([ann.id, bob.id].toSorted());
      const found = all.find(({ peerId }) => peerId === ann.id);
      const fresh = { queriedAtMs: null, completedAtMs: null, outcome: null };
      expect(found).toEqual({ ...asked, ...fresh });
      await next.removePeer(ann.id);
      await next.removePeer(ann.id);
      expect((await next.peers()).map(({ peerId }) => peerId)).toEqual([bob.id]);
      expect(Object.keys(await next.keysOf([ann.id]))).toEqual([ann.id]);
    });

    it('remembers the open session and how each one ended', async () => {
      await using world = create();
      const store = await world.open();
      await store.addPeer(peerOf(ann));
      await store.openSession(ann.id, SESSION);
      const next = await world.open();
      const record = async () => (await next.peers())[0];
      expect(await record()).toMatchObject({ queriedAtMs: NOW_MS, open: SESSION });
      await next.closeSession(ann.id, '6'.repeat(32), 'done');
      expect(await record()).toMatchObject({ completedAtMs: null, open: SESSION });
      await next.closeSession(ann.id, SESSION.sessionId, 'done');
      await next.closeSession(ann.id, SESSION.sessionId, 'misbehaved');
      expect(await record()).toEqual({ ...asked, completedAtMs: NOW_MS, outcome: 'done' });
      const later = { ...SESSION, sessionId: '7'.repeat(32), startedAtMs: NOW_MS + 5 };
      await next.openSession(ann.id, later);
      await next.closeSession(ann.id, later.sessionId, 'misbehaved');
      expect(await record()).toMatchObject({
        queriedAtMs: NOW_MS + 5,
        completedAtMs: NOW_MS,
        outcome: 'misbehaved',
        misbehaved: 1,
      });
    });

    it('opens no session with one who was not added', async () => {
      await using world = create();
      const store = await world.open();
      await store.openSession(bob.id, SESSION);
      await store.closeSession(bob.id, SESSION.sessionId, 'done');
      expect(await store.peers()).toEqual([]);
    });
  });

  describe(`PeerStore carries mail (${name})`, () => {
    it('keeps what is to be sent until it is, longest due first', async () => {
      await using world = create();
      const store = await world.open();
      let told = 0;
      store.onOutgoing(() => told++);
      const mail = [1, 2, 3].map((seq) => metaMessage(ann, bob, seq));
      const [first, second, third] = idsOf(mail);
      if (!first || !second || !third) throw new Error('Three messages were made.');
      for (const envelope of [...mail, ...mail]) await store.addOutgoing(envelope);
      expect(told).toBeGreaterThan(0);
      await store.settleOutgoing([
        {
          messageId: first,
          type: 'retry',
          dueAtMs: NOW_MS + 9,
          code: 'MESH_ERR_RELAY_UNAVAILABLE',
        },
        { messageId: second, type: 'sent' },
      ]);
      const next = await world.open();
      expect(await next.dueOutgoing(NOW_MS, 10)).toMatchObject([
        { envelope: mail[2], attempts: 0 },
      ]);
      const due = await next.dueOutgoing(NOW_MS + 9, 10);
      expect(due.map(({ envelope, attempts }) => [idsOf([envelope])[0], attempts])).toEqual([
        [third, 0],
        [first, 1],
      ]);
      await next.settleOutgoing([{ messageId: third, type: 'sent' }]);
      expect(await next.nextOutgoingAtMs()).toBe(NOW_MS + 9);
      expect(await next.dueOutgoing(NOW_MS + 9, 0)).toEqual([]);
    });

    it('keeps what nobody will take, with the reason', async () => {
      await using world = create();
      const store = await world.open();
      const mail = [1, 2].map((seq) => metaMessage(ann, bob, seq));
      for (const envelope of mail) await store.addOutgoing(envelope);
      const dead = {
        type: 'dead',
        code: 'MESH_ERR_RELAY_INBOX_FULL',
        reason: 'It is full.',
      } as const;
      for (const messageId of idsOf(mail)) await store.settleOutgoing([{ messageId, ...dead }]);
      const next = await world.open();
      expect(await next.deadLetters(1)).toEqual([
        { envelope: mail[1], code: dead.code, reason: dead.reason, attempts: 1 },
      ]);
      expect(await next.nextOutgoingAtMs()).toBe(null);
      expect(await next.counts()).toMatchObject({ outbox: 0, deadLetters: 2 });
    });

    it('notes each handled id once, and never gives a number twice', async () => {
      await using world = create();
      const store = await world.open();
      const [a, b] = idsOf([publicMessage(ann), publicMessage(bob)]);
      if (!a || !b) throw new Error('Two messages were made.');
      const entry = (messageId: string) => ({ messageId, expiresAtMs: NOW_MS });
      expect(await store.markSeen([entry(a), entry(a)])).toEqual([a]);
      const numbers = await Promise.all([store.nextSeq(), store.nextSeq()]);
      const next = await world.open();
      expect(await next.markSeen([entry(b), entry(a)])).toEqual([b]);
      numbers.push(await next.nextSeq());
      expect(new Set(numbers).size).toBe(3);
      expect(numbers).toEqual(numbers.toSorted((x, y) => x - y));
    });
  });

  describe(`PeerStore lets go (${name})`, () => {
    it('of all that has expired, in portions, and of nothing else', async () => {
      await using world = create();
      const store = await world.open();
      const end = expiresAt(publicMessage(ann).header);
      const mine = [publicMessage(ann), publicMessage(ann, 1)];
      const lasting = publicMessage(ann, 2, { ttlSeconds: TTL_SECONDS_MAX });
      await store.settle(
        settlement({
          verified: [...mine, lasting].map(item),
          quarantined: [item(publicMessage(bob))],
          rejected: [tombstoneOf(publicMessage(bob, 1))],
        }),
      );
      await store.markSeen([{ messageId: 'd'.repeat(64), expiresAtMs: end }]);
      await store.addOutgoing(metaMessage(ann, bob));
      expect(await store.prune(end - 1, 100)).toBe(0);
      const portions = [await store.prune(end, 4), await store.prune(end, 4)];
      expect(portions).toEqual([4, 2]);
      expect(await store.counts()).toMatchObject({
        messages: 1,
        quarantined: 0,
        tombstones: 0,
        seen: 0,
        outbox: 0,
      });
      expect((await store.feed(0, 10)).map(({ envelope }) => envelope)).toEqual([lasting]);
    });

    it('and knows the ids of ended messages while a slow clock may offer them', async () => {
      await using world = create();
      const store = await world.open();
      const ended = publicMessage(ann);
      await store.settle(settlement({ verified: [item(ended)] }));
      const end = expiresAt(ended.header);
      await store.prune(end, 10);
      const next = await world.open();
      expect(await next.missingOf(idsOf([ended]))).toEqual([]);
      const again = await next.settle(settlement({ verified: [item(ended)] }));
      expect(again.verified).toEqual(['duplicate']);
      expect(await next.prune(end + CLOCK_SKEW_MS - 1, 10)).toBe(0);
      for (let left = 1; left > 0;) left = await next.prune(end + 3 * CLOCK_SKEW_MS, 10);
      expect(await next.missingOf(idsOf([ended]))).toEqual(idsOf([ended]));
    });
  });
}
