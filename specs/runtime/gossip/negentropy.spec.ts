import type * as Nip77 from '../../../node_modules/nostr-tools/lib/types/nip77.d.ts';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SPLITTING } from '../../../runtime/gossip/reconcile/limits.ts';
import { initiate, reconcile } from '../../../runtime/gossip/reconcile/negentropy.ts';
import type { Difference, Splitting } from '../../../runtime/gossip/reconcile/negentropy.ts';
import { SealedSet } from '../../../runtime/gossip/reconcile/sealed-set.ts';
import type { SetItem } from '../../../runtime/gossip/reconcile/sealed-set.ts';

const require = createRequire(import.meta.url);
// Its package does not export the file.
const { Negentropy, NegentropyStorageVector } = (await import(
  new URL('../esm/nip77.js', pathToFileURL(require.resolve('nostr-tools'))).href
)) as typeof Nip77;
const TEXT = new URL(
  '../../../../shared/vectors/gossip/negentropy-protocol-v1.md',
  import.meta.url,
);
/** As the reference splits, so that frames can be compared byte by byte. */
const REFERENCE: Splitting = { buckets: 16, idsMax: 31, frameBytesMax: 1024 * 1024 };

const idOf = (seed: number | string): string =>
  createHash('sha256').update(`message ${seed}`).digest('hex');
const itemOf = (seed: number, createdAt = 1_000 + seed): SetItem => ({
  createdAt,
  id: idOf(seed),
});
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'hex');

function run(mine: readonly SetItem[], theirs: readonly SetItem[], options: Splitting) {
  const [own, other] = [new SealedSet(mine), new SealedSet(theirs)];
  const found: Difference = { have: [], need: [] };
  const frames: Uint8Array[] = [];
  let frame: Uint8Array | null = initiate(own, options);
  while (frame !== null) {
    const reply: Uint8Array = reconcile(other, frame, { ...options, role: 'responder' }) ?? frame;
    frames.push(frame, reply);
    if (frames.length > 2_000) throw new Error('It does not end.');
    frame = reconcile(own, reply, { ...options, role: 'requester', found });
  }
  return { found, frames, bytes: frames.reduce((sum, { length }) => sum + length, 0) };
}

function difference(mine: readonly SetItem[], theirs: readonly SetItem[]) {
  const [own, other] = [mine, theirs].map((items) => new Set(items.map(({ id }) => id)));
  const without = (a: Set<string> = new Set(), b: Set<string> = new Set()) =>
    [...a].filter((id) => !b.has(id)).sort();
  return { have: without(own, other), need: without(other, own) };
}

const sorted = ({ have, need }: Difference) => ({ have: [...have].sort(), need: [...need].sort() });

/** Two sets with a common part; times in a few values, so that ids of one time meet. */
const worlds = fc
  .record({
    common: fc.integer({ min: 0, max: 600 }),
    mine: fc.integer({ min: 0, max: 120 }),
    theirs: fc.integer({ min: 0, max: 120 }),
    times: fc.constantFrom(1, 3, 50, 100_000),
    seed: fc.integer({ min: 0, max: 1_000_000 }),
  })
  .map(({ common, mine, theirs, times, seed }) => {
    const make = (from: number, count: number): SetItem[] =>
      Array.from({ length: count }, (_, index) => {
        const id = idOf(`${seed}-${from + index}`);
        return { id, createdAt: (Number.parseInt(id.slice(0, 8), 16) % times) * 1_000 };
      });
    const both = make(0, common);
    return { mine: [...both, ...make(10_000, mine)], theirs: [...both, ...make(20_000, theirs)] };
  });

describe('negentropy', () => {
  it('finds the difference of any two sets, with any splitting and any room in a frame', () => {
    const splittings = fc.record({
      buckets: fc.integer({ min: 2, max: 20 }),
      idsMax: fc.integer({ min: 20, max: 40 }),
      frameBytesMax: fc.constantFrom(4_096, 6_000, 60_000, 1_000_000),
    });
    fc.assert(
      fc.property(worlds, splittings, ({ mine, theirs }, splitting) => {
        const { found, frames } = run(mine, theirs, splitting);
        expect(sorted(found)).toEqual(difference(mine, theirs));
        for (const { length } of frames)
          expect(length).toBeLessThanOrEqual(splitting.frameBytesMax);
      }),
      { numRuns: 150, seed: 7 },
    );
  });

  it('sends a list of thousands in several frames to who has nothing', () => {
    const theirs = Array.from({ length: 2_000 }, (_, index) => itemOf(index, 5));
    const { found, frames } = run([], theirs, { ...SPLITTING, frameBytesMax: 8_192 });
    expect(new Set(found.need).size).toBe(2_000);
    expect(frames.length).toBeGreaterThan(16);
  });

  it('speaks with an implementation of other hands, byte by byte the same', () => {
    fc.assert(
      fc.property(worlds, ({ mine, theirs }) => {
        const storage = new NegentropyStorageVector();
        // Its numbers have 32 bits.
        const inSeconds = (items: readonly SetItem[]) =>
          items.map((item) => ({ ...item, createdAt: item.createdAt / 1_000 }));
        for (const { createdAt, id } of inSeconds(mine)) storage.insert(createdAt, id);
        storage.seal();
        const client = new Negentropy(storage, REFERENCE.frameBytesMax);
        const [own, other] = [new SealedSet(inSeconds(mine)), new SealedSet(inSeconds(theirs))];
        const [ours, theirsFound] = [empty(), empty()];
        let frame: string | null = client.initiate();
        expect(frame).toBe(hex(initiate(own, REFERENCE)));
        while (frame !== null && frame.length > 2) {
          const options = { ...REFERENCE, role: 'responder' as const };
          const reply: Uint8Array = reconcile(other, bytesOf(frame), options) ?? bytesOf('');
          frame = client.reconcile(
            hex(reply),
            (id) => theirsFound.have.push(id),
            (id) => theirsFound.need.push(id),
          );
          const next = reconcile(own, reply, { ...REFERENCE, role: 'requester', found: ours });
          expect(next === null ? null : hex(next)).toBe(frame);
        }
        expect(sorted(ours)).toEqual(difference(mine, theirs));
        expect(sorted(theirsFound)).toEqual(difference(mine, theirs));
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  it('finds 10 missing of 100,000 for less than 0.2 % of the bytes of all ids', () => {
    const theirs = Array.from({ length: 100_000 }, (_, index) => itemOf(index));
    const mine = theirs.filter((_, index) => index % 10_007 !== 1_234);
    const { found, frames, bytes } = run(mine, theirs, SPLITTING);
    expect(found.need).toHaveLength(10);
    expect(bytes).toBeLessThan(0.002 * 32 * 2 * 100_000);
    expect(frames.length).toBeLessThanOrEqual(8);
  });

  it('needs one small frame each way where nothing is missing', () => {
    const items = Array.from({ length: 5_000 }, (_, index) => itemOf(index));
    expect(run(items, items, SPLITTING).bytes).toBeLessThan(200);
  });

  it('counts a message once that is given twice', () => {
    expect(new SealedSet([itemOf(1), itemOf(1), itemOf(2)]).size).toBe(2);
  });
});

const empty = (): Difference => ({ have: [], need: [] });

describe('reconcile', () => {
  const set = new SealedSet([itemOf(1), itemOf(2)]);
  const refuse = (frame: string) => () =>
    reconcile(set, bytesOf(frame), { ...SPLITTING, role: 'responder' });

  it.each([
    ['nothing', ''],
    ['another version', '62'],
    ['an end within a number', '6181'],
    ['a number with a leading zero', '61800000'],
    ['a number beyond 2^49', '61ffffffffffffffff7f0000'],
    ['a bound with 33 bytes', `610121${'00'.repeat(33)}00`],
    ['a fingerprint cut off', '61000001aabb'],
    ['more ids than there are bytes', '61000002ffffffff7f'],
    ['an unknown mode', '61000003'],
    ['a range after infinity', '610000000000 00'.replace(' ', '')],
    ['bounds that go back', '61020102000201010001'.slice(0, 20)],
  ])('refuses %s', (_, frame) => {
    expect(refuse(frame)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_RECONCILE_FRAME' }) as Error,
    );
  });

  it('refuses a frame that is longer than agreed', () => {
    const frame = new Uint8Array(SPLITTING.frameBytesMax + 1).fill(0x61);
    expect(() => reconcile(set, frame, { ...SPLITTING, role: 'responder' })).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_RECONCILE_FRAME' }) as Error,
    );
  });

  it('ends at every damaged frame in bounded time, with an answer or a refusal', () => {
    const big = new SealedSet(Array.from({ length: 3_000 }, (_, index) => itemOf(index)));
    const good = Buffer.from(initiate(new SealedSet([itemOf(5_000)]), SPLITTING));
    const whole = Buffer.from(initiate(big, SPLITTING));
    fc.assert(
      fc.property(
        fc.constantFrom(good, whole),
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }),
        fc.nat(400),
        (frame, flips, end) => {
          const damaged = Buffer.from(frame.subarray(0, Math.max(1, end)));
          for (const [at, value] of flips) if (at < damaged.length) damaged[at] = value;
          try {
            const reply = reconcile(big, damaged, { ...SPLITTING, role: 'responder' });
            expect(reply?.length).toBeLessThanOrEqual(SPLITTING.frameBytesMax);
          } catch (error) {
            expect(error).toMatchObject({ code: 'MESH_ERR_RECONCILE_FRAME' });
          }
        },
      ),
      { numRuns: 500, seed: 3 },
    );
  });
});

describe.skipIf(!existsSync(TEXT))('protocol text', () => {
  it('names the version, the modes and the fingerprint that are used', () => {
    const text = readFileSync(TEXT, 'utf8');
    expect(text).toContain('represented by the byte `0x61`');
    expect(text).toContain('If `mode = 2`, the payload is `IdList`');
    // "Fingerprint Algorithm", by hand for two ids.
    const set = new SealedSet([itemOf(1), itemOf(2)]);
    const little = (id: string) => BigInt(`0x${hex(bytesOf(id).toReversed())}`);
    const sum = (little(idOf(1)) + little(idOf(2))) % 2n ** 256n;
    const digits = sum.toString(16).padStart(64, '0');
    const input = Buffer.concat([bytesOf(digits).toReversed(), Buffer.of(2)]);
    const due = createHash('sha256').update(input).digest('hex').slice(0, 32);
    expect(hex(set.fingerprint(0, 2))).toBe(due);
  });
});
