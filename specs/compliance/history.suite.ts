import { describe, expect, it } from 'vitest';
import { CONTENT_BYTES_MAX, DELIVERIES_MAX } from '../../actors/coordinator/ports/history.ts';
import type { HistoryEvent } from '../../actors/coordinator/ports/history.ts';
import type { LatestRecord } from '../../machines/coordinator/transition.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import type { MakeHistoryWorld } from '../support/coordinator/history-worlds.ts';
import { sha256 } from '../support/coordinator/memory-history.ts';
import { until } from '../support/until.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const record = (name: string, signer = 'a'): LatestRecord => ({
  transition: sha256(bytes(name)),
  signature: signer.repeat(192),
});
const UNAVAILABLE = { code: 'MESH_ERR_HISTORY_UNAVAILABLE' };

/** Every sentence of the port `History`, for any implementation of it. */
export function historySuite(name: string, make: MakeHistoryWorld): void {
  describe(`${name}: content`, () => {
    it('is kept under its SHA-256, by kind, for every handle', async () => {
      await using world = await make();
      const digest = await world.history.put('manifests', bytes('one'));
      expect(digest).toBe(sha256(bytes('one')));
      expect(Buffer.from(await world.other.get('manifests', digest)).toString()).toBe('one');
      await expect(world.history.get('policies', digest)).rejects.toMatchObject({
        code: 'MESH_ERR_HISTORY_MISSING',
      });
    });

    it('is put twice as once, also empty content', async () => {
      await using world = await make();
      for (const content of [bytes(''), bytes('one')]) {
        const first = await world.history.put('policies', content);
        expect(await world.other.put('policies', content)).toBe(first);
        expect(await world.history.get('policies', first)).toHaveLength(content.length);
      }
    });

    it('is hashed again on every read', async () => {
      await using world = await make();
      const digest = await world.history.put('transitions', bytes('one'));
      await world.history.get('transitions', digest);
      world.damage('transitions', digest, bytes('two'));
      await expect(world.history.get('transitions', digest)).rejects.toMatchObject({
        code: 'MESH_ERR_HISTORY_CORRUPT',
      });
    });

    it('that was removed is missing', async () => {
      await using world = await make();
      const digest = await world.history.put('transitions', bytes('one'));
      world.remove('transitions', digest);
      await expect(world.other.get('transitions', digest)).rejects.toMatchObject({
        code: 'MESH_ERR_HISTORY_MISSING',
      });
    });

    it('is bounded', async () => {
      await using world = await make();
      const largest = new Uint8Array(CONTENT_BYTES_MAX);
      const digest = await world.history.put('manifests', largest);
      expect(await world.history.get('manifests', digest)).toHaveLength(CONTENT_BYTES_MAX);
      await expect(
        world.history.put('manifests', new Uint8Array(CONTENT_BYTES_MAX + 1)),
      ).rejects.toMatchObject({ code: 'MESH_ERR_HISTORY_TOO_LARGE' });
    });
  });

  describe(`${name}: latest`, () => {
    it('is null, then what was swapped in, for every handle', async () => {
      await using world = await make();
      expect(await world.history.latest()).toBeNull();
      expect(await world.history.compareAndSwap(null, record('1'))).toEqual({ type: 'swapped' });
      expect(await world.other.latest()).toEqual(record('1'));
      const { transition } = record('1');
      expect(await world.other.compareAndSwap(transition, record('2'))).toEqual({
        type: 'swapped',
      });
      expect(await world.history.latest()).toEqual(record('2'));
    });

    it('is not swapped on another expectation, and says what it found', async () => {
      await using world = await make();
      await world.history.compareAndSwap(null, record('1'));
      for (const expected of [null, record('2').transition])
        expect(await world.other.compareAndSwap(expected, record('3'))).toEqual({
          type: 'mismatch',
          found: record('1'),
        });
      expect(await world.history.latest()).toEqual(record('1'));
    });

    it('tells apart two seeds that sign the same transition', async () => {
      await using world = await make();
      await world.history.compareAndSwap(null, record('1', 'a'));
      expect(await world.other.compareAndSwap(null, record('1', 'b'))).toEqual({
        type: 'mismatch',
        found: record('1', 'a'),
      });
    });

    it('is swapped by exactly one of many', async () => {
      await using world = await make();
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 ? world.history : world.other).compareAndSwap(null, record(`${index}`)),
        ),
      );
      expect(results.filter(({ type }) => type === 'swapped')).toHaveLength(1);
      expect(results.filter(({ type }) => type === 'mismatch')).toHaveLength(19);
    });

    it('of the wrong form is corrupt, and is not swapped', async () => {
      await using world = await make();
      await world.history.compareAndSwap(null, record('1'));
      world.damageLatest(new Uint8Array(127));
      await expect(world.history.latest()).rejects.toMatchObject({
        code: 'MESH_ERR_HISTORY_CORRUPT',
      });
      expect(await world.history.compareAndSwap(record('1').transition, record('2'))).toMatchObject(
        { type: 'unavailable', cause: { code: 'MESH_ERR_HISTORY_CORRUPT' } },
      );
    });
  });

  describe(`${name}: watch`, () => {
    it('tells of swaps by any handle, until it is stopped', async () => {
      await using world = await make();
      const events: HistoryEvent[] = [];
      const stop = world.history.watch((event) => events.push(event));
      await world.other.compareAndSwap(null, record('1'));
      await until(() => events.length > 0, 'the other handle is heard');
      events.length = 0;
      await world.history.compareAndSwap(record('1').transition, record('2'));
      await until(() => events.length > 0, 'the own handle is heard');
      expect(events).toContainEqual({ type: 'changed' });
      stop();
      stop();
      events.length = 0;
      await world.history.compareAndSwap(record('2').transition, record('3'));
      expect(events).toEqual([]);
    });
  });

  describe(`${name}: deliveries`, () => {
    const id = (index: number): Digest => sha256(bytes(`delivery ${index}`));

    it('are kept until dropped, newest first, upserted by id', async () => {
      await using world = await make();
      await world.history.keepDelivery(id(1), bytes('one'));
      await world.history.keepDelivery(id(2), bytes('two'));
      await world.other.keepDelivery(id(1), bytes('again'));
      const texts = async () =>
        (await world.history.deliveries()).map(({ bytes }) => Buffer.from(bytes).toString());
      expect(await texts()).toEqual(['again', 'two']);
      await world.other.dropDelivery(id(1));
      await world.other.dropDelivery(id(1));
      expect(await texts()).toEqual(['two']);
    });

    it('are bounded: the oldest go first', async () => {
      await using world = await make();
      for (let index = 0; index < DELIVERIES_MAX + 3; index++)
        await world.history.keepDelivery(id(index), bytes(`${index}`));
      const kept = await world.history.deliveries();
      expect(kept).toHaveLength(DELIVERIES_MAX);
      expect(kept[0]?.id).toBe(id(DELIVERIES_MAX + 2));
      expect(kept.at(-1)?.id).toBe(id(3));
    });
  });

  describe(`${name}: close`, () => {
    it('ends watches and refuses later calls, twice as once', async () => {
      await using world = await make();
      const events: HistoryEvent[] = [];
      world.history.watch((event) => events.push(event));
      await world.history.close();
      await world.history.close();
      await expect(world.history.latest()).rejects.toMatchObject(UNAVAILABLE);
      await expect(world.history.put('manifests', bytes('a'))).rejects.toMatchObject(UNAVAILABLE);
      expect(await world.history.compareAndSwap(null, record('1'))).toMatchObject({
        type: 'unavailable',
      });
      await world.other.compareAndSwap(null, record('1'));
      expect(events).toEqual([]);
    });
  });
}
