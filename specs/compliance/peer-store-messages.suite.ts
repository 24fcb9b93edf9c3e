import { describe, expect, it } from 'vitest';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { FUTURE_SKEW_MS, QUARANTINE_PER_AUTHOR_MAX } from '../../machines/gossip/limits.ts';
import { NOW_MS, metaMessage, publicMessage, samplePeer } from '../support/gossip/letters.ts';
import { VIA, idsOf, item, settlement, tombstoneOf } from './peer-store-world.ts';
import type { MakePeerStoreWorld } from './peer-store-world.ts';

const [ann, bob] = [samplePeer(1), samplePeer(2)];
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const keys = { [ann.id]: hex(ann.publicKey) };
const MINUTE_MS = 60_000;
const EVERYTHING = { sinceMs: 0, cursor: null, limit: 100, nowMs: NOW_MS };
const messages = (count: number, author = ann) =>
  Array.from({ length: count }, (_, seq) => publicMessage(author, seq));
const forgeryOf = (seq: number) => ({
  ...publicMessage(bob, seq),
  signature: publicMessage(ann, seq).signature,
});

/** What every peer's store holds of messages that were proven, or wait for it. */
export function peerStoreMessagesSuite(name: string, create: MakePeerStoreWorld): void {
  describe(`PeerStore settles (${name})`, () => {
    it('stores a message once, with its author, also for the next program', async () => {
      await using world = create();
      const [first, second] = messages(2);
      if (!first || !second) throw new Error('Two messages were made.');
      const store = await world.open();
      const batch = settlement({ keys, verified: [item(first), item(first)] });
      expect(await store.settle(batch)).toEqual({
        verified: ['stored', 'duplicate'],
        quarantined: [],
      });
      const next = await world.open();
      const again = await next.settle(settlement({ verified: [item(first), item(second)] }));
      expect(again.verified).toEqual(['duplicate', 'stored']);
      expect(await next.keysOf([ann.id, bob.id])).toEqual(keys);
      const third = publicMessage(ann, 3).header.message_id;
      expect(await next.missingOf([third, ...idsOf([first, second])])).toEqual([third]);
      expect((await next.counts()).messages).toBe(2);
    });

    it('keeps the messages of strangers apart until their key is there', async () => {
      await using world = create();
      const store = await world.open();
      const letter = publicMessage(bob);
      const { quarantined } = await store.settle(
        settlement({ quarantined: [item(letter), item(letter)] }),
      );
      expect(quarantined).toEqual(['quarantined', 'duplicate']);
      expect(await store.missingOf(idsOf([letter]))).toEqual(idsOf([letter]));
      expect((await store.publicSince(EVERYTHING)).ids).toEqual([]);
      expect(await store.backfillable(10)).toEqual([]);
      await store.addKey(bob.id, hex(bob.publicKey));
      const next = await world.open();
      expect(await next.backfillable(10)).toEqual([{ envelope: letter, from: VIA }]);
      const settled = await next.settle(settlement({ verified: [item(letter)] }));
      expect(settled.verified).toEqual(['stored']);
      expect(await next.backfillable(10)).toEqual([]);
      expect(await next.counts()).toMatchObject({ messages: 1, quarantined: 0, keys: 1 });
    });

    it('finds what to backfill when the key comes by another settlement', async () => {
      await using world = create();
      const store = await world.open();
      const letters = messages(3, bob);
      await store.settle(settlement({ quarantined: letters.map(item) }));
      await store.settle(settlement({ keys: { [bob.id]: hex(bob.publicKey) } }));
      expect(await store.backfillable(2)).toEqual(letters.slice(0, 2).map(item));
    });

    it('gives one stranger no more room than one may have', async () => {
      await using world = create();
      const store = await world.open();
      const flood = messages(QUARANTINE_PER_AUTHOR_MAX + 1, bob).map(item);
      const stranger = item(publicMessage(samplePeer(3)));
      const { quarantined } = await store.settle(settlement({ quarantined: [...flood, stranger] }));
      expect(quarantined.slice(-3)).toEqual(['quarantined', 'quarantineFull', 'quarantined']);
    });

    it('refuses a bad pair again, and takes the true message of that id', async () => {
      await using world = create();
      const store = await world.open();
      const [forgery, truth] = [forgeryOf(0), publicMessage(bob)];
      await store.settle(settlement({ quarantined: [item(forgery)] }));
      await store.settle(settlement({ rejected: [tombstoneOf(forgery)] }));
      const next = await world.open();
      const pairs = [tombstoneOf(truth), tombstoneOf(forgery)];
      expect(await next.tombstonesAmong(pairs)).toEqual([1]);
      expect(await next.counts()).toMatchObject({ quarantined: 0, tombstones: 1 });
      expect(await next.missingOf(idsOf([truth]))).toEqual(idsOf([truth]));
      const { verified } = await next.settle(settlement({ verified: [item(truth)] }));
      expect(verified).toEqual(['stored']);
    });

    it('drops forgeries of an id from the quarantine when the true one is stored', async () => {
      await using world = create();
      const store = await world.open();
      const waiting = [item(forgeryOf(0)), item(publicMessage(bob))];
      const { quarantined } = await store.settle(settlement({ quarantined: waiting }));
      expect(quarantined).toEqual(['quarantined', 'quarantined']);
      await store.settle(settlement({ verified: [item(publicMessage(bob))] }));
      expect(await store.counts()).toMatchObject({ messages: 1, quarantined: 0 });
      const late = await store.settle(settlement({ quarantined: waiting }));
      expect(late.quarantined).toEqual(['duplicate', 'duplicate']);
    });
  });

  describe(`PeerStore tells others (${name})`, () => {
    it('only what is public, verified and alive, in the order of storing', async () => {
      await using world = create();
      const store = await world.open();
      const [first, second] = [publicMessage(ann, 9), publicMessage(ann, 1)];
      const short = publicMessage(ann, 2, { ttlSeconds: 60 });
      const direct = metaMessage(ann, bob, 3, { kind: 'direct' });
      const group = metaMessage(ann, bob, 4, { kind: 'group' });
      const mine = [first, short, direct, group, second].map(item);
      const strange = publicMessage(bob);
      await store.settle(settlement({ keys, verified: mine, quarantined: [item(strange)] }));
      const nowMs = NOW_MS + MINUTE_MS;
      expect((await store.publicSince({ ...EVERYTHING, nowMs })).ids).toEqual(
        idsOf([first, second]),
      );
      const stored = idsOf([first, short, second]);
      expect((await store.publicSince({ ...EVERYTHING, nowMs: nowMs - 1 })).ids).toEqual(stored);
      const set = await store.publicSet(nowMs);
      expect(set.toSorted()).toEqual(
        idsOf([first, second])
          .map((id) => [id, NOW_MS])
          .toSorted(),
      );
      const asked = idsOf([second, strange, direct, short, first]);
      const room = { nowMs, bytesMax: 1_000_000 };
      expect(await store.publicEnvelopes(asked, room)).toEqual({
        envelopes: [second, first],
        senderKeys: keys,
        gone: idsOf([strange, direct, short]),
        left: [],
      });
    });

    it('as much as fits, and at least one', async () => {
      await using world = create();
      const store = await world.open();
      const three = messages(3);
      await store.settle(settlement({ keys, verified: three.map(item) }));
      const one = await store.publicEnvelopes(idsOf(three), { nowMs: NOW_MS, bytesMax: 1 });
      expect([one.envelopes, one.left]).toEqual([three.slice(0, 1), idsOf(three.slice(1))]);
      const room = { nowMs: NOW_MS, bytesMax: 2 * JSON.stringify(three[0]).length };
      const two = await store.publicEnvelopes(idsOf(three), room);
      expect([two.envelopes, two.left]).toEqual([three.slice(0, 2), idsOf(three.slice(2))]);
    });

    it('page by page, with what is stored meanwhile, also to the next program', async () => {
      await using world = create();
      const store = await world.open();
      const five = messages(5);
      await store.settle(settlement({ verified: five.slice(0, 4).map(item) }));
      const one = await store.publicSince({ ...EVERYTHING, limit: 2 });
      expect(one.ids).toEqual(idsOf(five.slice(0, 2)));
      await store.settle(settlement({ verified: five.slice(4).map(item) }));
      const next = await world.open();
      const two = await next.publicSince({ ...EVERYTHING, limit: 2, cursor: one.next });
      const three = await next.publicSince({ ...EVERYTHING, limit: 2, cursor: two.next });
      expect([...two.ids, ...three.ids]).toEqual(idsOf(five.slice(2)));
      expect(three.next).toBe(null);
    });

    it('what came late, also when it was made long before', async () => {
      await using world = create();
      const store = await world.open();
      const old = publicMessage(ann, 0, { createdAtMs: NOW_MS - 60 * MINUTE_MS });
      const fresh = publicMessage(ann, 1, { createdAtMs: NOW_MS - 6 * MINUTE_MS });
      const ahead = publicMessage(ann, 2, { createdAtMs: NOW_MS + FUTURE_SKEW_MS });
      const early = settlement({ nowMs: NOW_MS - 10 * MINUTE_MS, verified: [item(fresh)] });
      await store.settle(early);
      await store.settle(settlement({ verified: [item(old), item(ahead)] }));
      const since = async (sinceMs: number) =>
        (await store.publicSince({ ...EVERYTHING, sinceMs })).ids;
      expect(await since(NOW_MS - 6 * MINUTE_MS)).toEqual(idsOf([fresh, old, ahead]));
      expect(await since(NOW_MS)).toEqual(idsOf([old, ahead]));
      expect(await since(NOW_MS + 1)).toEqual(idsOf([ahead]));
      // A clock that was set back hides nothing.
      const back = publicMessage(ann, 3, { createdAtMs: NOW_MS - 90 * MINUTE_MS });
      const behind = settlement({ nowMs: NOW_MS - 80 * MINUTE_MS, verified: [item(back)] });
      await store.settle(behind);
      expect(await since(NOW_MS - 80 * MINUTE_MS)).toEqual(idsOf([fresh, old, ahead, back]));
    });

    it.each(['', 'x', '0.1', `${'0'.repeat(12)}.1`, 'é'.repeat(200)])(
      'nothing from %j, which is no cursor of it',
      async (cursor) => {
        await using world = create();
        const store = await world.open();
        const refused = store.publicSince({ ...EVERYTHING, cursor });
        expect(await refused.catch(codeOf)).toBe('MESH_ERR_GOSSIP_CURSOR');
      },
    );
  });
}
