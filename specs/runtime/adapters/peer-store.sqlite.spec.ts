import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import type { CodedError } from '../../../machines/kernel/coded-error.ts';
import { openPeerStore } from '../../../runtime/adapters/peer-store.sqlite.ts';
import { DEAD_LETTERS_MAX, OUTBOX_MAX } from '../../../runtime/adapters/peer-store/mail.ts';
import { TOMBSTONES_MAX } from '../../../runtime/adapters/peer-store/settling.ts';
import { item, settlement } from '../../compliance/peer-store-world.ts';
import { NOW_MS, metaMessage, publicMessage, samplePeer } from '../../support/gossip/letters.ts';
import { scratch } from '../../support/scratch.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const clock = new VirtualClock();
const [ann, bob] = [samplePeer(1), samplePeer(2)];
const codeFrom = async (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(() => 'nothing', codeOf);

describe('openPeerStore', () => {
  it('lets only its owner read the file, from its first byte', async () => {
    using folder = scratch();
    const store = await openPeerStore({ path: folder.file('peer.sqlite'), clock });
    await store.nextSeq();
    const modes = readdirSync(folder.path).map((name) => statSync(folder.file(name)).mode & 0o777);
    await store.close();
    expect(new Set(modes)).toEqual(new Set([0o600]));
  });

  it('lets one program in at a time', async () => {
    using folder = scratch();
    const path = folder.file('peer.sqlite');
    const store = await openPeerStore({ path, clock });
    await store.nextSeq();
    expect(await codeFrom(openPeerStore({ path, clock }))).toBe('MESH_ERR_PEER_STORE_LOCKED');
    await store.close();
    await (await openPeerStore({ path, clock })).close();
  });

  it.each([
    ['of a later version', 'PRAGMA user_version = 99'],
    ['of another program', 'PRAGMA application_id = 7'],
  ])('leaves a file %s as it is', async (_, sql) => {
    using folder = scratch();
    const path = folder.file('peer.sqlite');
    await (await openPeerStore({ path, clock })).close();
    const db = new DatabaseSync(path);
    db.exec(sql);
    db.close();
    const refused = await codeFrom(openPeerStore({ path, clock }));
    expect(refused).toBe('MESH_ERR_PEER_STORE_SCHEMA_NEWER');
  });

  it('keeps a damaged file aside and begins anew', async () => {
    using folder = scratch();
    const path = folder.file('peer.sqlite');
    writeFileSync(path, 'This is no database, and it is long enough to be looked at.'.repeat(99));
    const told: CodedError[] = [];
    const store = await openPeerStore({ path, clock, onCorrupt: (error) => told.push(error) });
    expect(told.map(({ code }) => code)).toEqual(['MESH_ERR_PEER_STORE_CORRUPT']);
    expect(readdirSync(folder.path).some((name) => name.includes('corrupt'))).toBe(true);
    expect(await store.nextSeq()).toBe(1);
    await store.close();
  });

  it('says that a folder is not there', async () => {
    using folder = scratch();
    const path = folder.file('missing/peer.sqlite');
    expect(await codeFrom(openPeerStore({ path, clock }))).toBe('MESH_ERR_PEER_STORE_UNAVAILABLE');
    expect(existsSync(path)).toBe(false);
  });
});

describe('a store in SQLite', () => {
  it('refuses what does not fit into its file, whole, and goes on', async () => {
    using folder = scratch();
    const path = folder.file('peer.sqlite');
    const store = await openPeerStore({ path, clock, bytesMax: 512 * 1024 });
    const body = Buffer.alloc(60 * 1024, 'x');
    const large = Array.from({ length: 10 }, (_, seq) => publicMessage(ann, seq, { body }));
    const refused = codeFrom(store.settle(settlement({ verified: large.map(item) })));
    expect(await refused).toBe('MESH_ERR_PEER_STORE_UNAVAILABLE');
    expect((await store.counts()).messages).toBe(0);
    const { verified } = await store.settle(settlement({ verified: [item(publicMessage(ann))] }));
    expect(verified).toEqual(['stored']);
    await store.close();
  });

  it('says after its end that it has ended, and commits before what was asked for', async () => {
    using folder = scratch();
    const path = folder.file('peer.sqlite');
    const store = await openPeerStore({ path, clock });
    const asked = store.nextSeq();
    await store.close();
    await store.close();
    expect(await asked).toBe(1);
    const late = [store.nextSeq(), store.peers(), store.publicSet(NOW_MS)].map(codeFrom);
    expect(new Set(await Promise.all(late))).toEqual(new Set(['MESH_ERR_PEER_STORE_UNAVAILABLE']));
    const next = await openPeerStore({ path, clock });
    expect(await next.nextSeq()).toBe(2);
    await next.close();
  });

  it('fails one write of a group alone', async () => {
    const store = await openPeerStore({ path: ':memory:', clock });
    const meta = metaMessage(ann, bob);
    const results = await Promise.allSettled([
      store.nextSeq(),
      store.settle(settlement({ verified: [item(publicMessage(ann)), item(meta)] })),
      store.nextSeq(),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await store.counts()).messages).toBe(0);
    expect(await store.nextSeq()).toBe(3);
    await store.close();
  });

  it('tells ids apart that begin alike, which its index does not', async () => {
    using folder = scratch();
    const path = folder.file('peer.sqlite');
    const [first, second] = [publicMessage(ann), publicMessage(ann, 1)];
    const id = first.header.message_id;
    let store = await openPeerStore({ path, clock });
    await store.settle(settlement({ verified: [item(second)] }));
    await store.close();
    const db = new DatabaseSync(path);
    db.exec(`UPDATE messages SET prefix = ${Number.parseInt(id.slice(0, 12), 16)}`);
    db.close();
    store = await openPeerStore({ path, clock });
    expect(await store.missingOf([id])).toEqual([id]);
    const settled = await store.settle(settlement({ verified: [item(first), item(first)] }));
    expect(settled.verified).toEqual(['stored', 'duplicate']);
    const found = await store.publicEnvelopes([id], { nowMs: NOW_MS, bytesMax: 1 });
    expect(found.envelopes).toEqual([first]);
    await store.close();
  });

  it('gives a fresh file cursors of its own', async () => {
    const [one, two] = await Promise.all(
      [1, 2].map(async () => openPeerStore({ path: ':memory:', clock })),
    );
    if (!one || !two) throw new Error('Two stores were opened.');
    const letters = [1, 2].map((seq) => item(publicMessage(ann, seq)));
    const query = { sinceMs: 0, cursor: null, limit: 1, nowMs: NOW_MS };
    await one.settle(settlement({ verified: letters }));
    const { next } = await one.publicSince(query);
    const refused = await codeFrom(two.publicSince({ ...query, cursor: next }));
    expect(refused).toBe('MESH_ERR_GOSSIP_CURSOR');
    await Promise.all([one.close(), two.close()]);
  });

  it('is bounded in mail, dead letters and tombstones', async () => {
    using folder = scratch();
    const path = folder.file('peer.sqlite');
    await (await openPeerStore({ path, clock })).close();
    fill(path);
    const store = await openPeerStore({ path, clock });
    const letter = metaMessage(ann, bob);
    const full = await codeFrom(store.addOutgoing(letter));
    expect(full).toBe('MESH_ERR_GOSSIP_OUTBOX_FULL');
    const dead = { type: 'dead', code: 'MESH_ERR_RELAY_INBOX_FULL', reason: '' } as const;
    const messageId = Buffer.from('1').toString('hex');
    await store.settleOutgoing([{ ...dead, messageId }]);
    const rejected = { signature: 's', from: ann.id, expiresAtMs: NOW_MS, messageId: ann.id };
    await store.settle(settlement({ rejected: [rejected] }));
    expect(await store.counts()).toMatchObject({
      outbox: OUTBOX_MAX - 1,
      deadLetters: DEAD_LETTERS_MAX,
      tombstones: TOMBSTONES_MAX,
    });
    await store.addOutgoing(letter);
    await store.close();
  });
});

/** Each of three tables to its bound, with rows that only their number matters of. */
function fill(path: string): void {
  const db = new DatabaseSync(path);
  const upTo = (max: number) =>
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${max})`;
  db.exec(`
    ${upTo(OUTBOX_MAX)} INSERT INTO outbox (id, expires_at, text)
      SELECT CAST(i AS BLOB), 1, '{}' FROM n;
    ${upTo(DEAD_LETTERS_MAX)} INSERT INTO dead_letters (id, attempts, code, reason, expires_at, text)
      SELECT CAST(-i AS BLOB), 1, '', '', 1, '{}' FROM n;
    ${upTo(TOMBSTONES_MAX)} INSERT INTO tombstones (id, signature, via, expires_at)
      SELECT CAST(i AS BLOB), '', '', 1 FROM n;
  `);
  db.close();
}
