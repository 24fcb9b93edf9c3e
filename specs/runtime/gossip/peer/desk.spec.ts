import { mkdirSync, writeFileSync } from 'node:fs';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { openPeerStore } from '../../../../runtime/adapters/peer-store.sqlite.ts';
import { createPeerKey } from '../../../../runtime/gossip/envelope-codec.ts';
import { createDesk } from '../../../../runtime/gossip/peer/desk.ts';
import { peerPaths } from '../../../../runtime/gossip/peer/peer-home.ts';
import { tailOf } from '../../../../runtime/gossip/peer/tail.ts';
import { createSigner } from '../../../../runtime/gossip/signer.ts';
import { scratch } from '../../../support/scratch.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const keyOf = (seed: number) => nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(seed));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const [ownKeys, bobKeys, carolKeys] = [keyOf(1), keyOf(2), keyOf(3)];
const bob = hex(bobKeys.publicKey);
const refusal = (code: string) => expect.objectContaining({ code }) as Error;

async function deskWorld(pair = ownKeys) {
  const folder = scratch();
  const clock = new VirtualClock();
  const key = createPeerKey(pair.secretKey);
  const signer = createSigner('mesh', key);
  const store = await openPeerStore({ path: ':memory:', clock });
  const paths = peerPaths(folder.path);
  const parts = { store, signer, secretKey: pair.secretKey, clock, home: folder.path, paths };
  return {
    desk: createDesk(parts),
    store,
    clock,
    paths,
    id: key.id,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
}

describe('createDesk', () => {
  it('posts what it then shows as its own, verified', async () => {
    await using at = await deskWorld();
    const { id } = await at.desk.post({ text: 'hello', ttlSeconds: 60 });
    const reply = await at.desk.post({ text: 'yes?', replyTo: id });
    const rows = await at.desk.messages();
    expect(rows.map((row) => [row.id, row.text, row.replyTo])).toEqual([
      [id, 'hello', null],
      [reply.id, 'yes?', id],
    ]);
    expect(rows[0]).toMatchObject({
      kind: 'public',
      author: at.id,
      recipient: null,
      bytes: 5,
      isVerified: true,
      isOwn: true,
    });
    expect(Date.parse(rows[0]?.expiresAt ?? '') - Date.parse(rows[0]?.createdAt ?? '')).toBe(
      60_000,
    );
  });

  it.each([
    ['nothing', { text: '' }],
    ['more than 64 KiB', { text: 'x'.repeat(65_537) }],
    ['half a character', { text: '\ud800' }],
    ['a lifetime over seven days', { text: 'a', ttlSeconds: 604_801 }],
    ['no lifetime', { text: 'a', ttlSeconds: 0 }],
  ])('refuses to post %s', async (_, request) => {
    await using at = await deskWorld();
    await expect(at.desk.post(request)).rejects.toEqual(refusal('MESH_ERR_PEER_MESSAGE'));
    expect(await at.desk.messages()).toEqual([]);
  });

  it('gives the newest messages, or those after a row', async () => {
    await using at = await deskWorld();
    for (const text of ['a', 'b', 'c', 'd']) await at.desk.post({ text });
    const newest = await at.desk.messages({ limit: 2 });
    expect(newest.map(({ text }) => text)).toEqual(['c', 'd']);
    const after = await at.desk.messages({ after: newest[0]?.row ?? 0 });
    expect(after.map(({ text }) => text)).toEqual(['d']);
  });

  it('adds a peer by its key, names it anew, and removes it by name or beginning', async () => {
    await using at = await deskWorld();
    const { peerId } = await at.desk.addPeer({ publicKey: bob, name: 'bob' });
    await at.desk.addPeer({ publicKey: bob, name: 'robert' });
    await at.desk.addPeer({ publicKey: hex(carolKeys.publicKey) });
    expect((await at.desk.peers()).map(({ name }) => name).toSorted()).toEqual([null, 'robert']);
    expect(await at.desk.removePeer('robert')).toMatchObject({ peerId });
    await expect(at.desk.removePeer('robert')).rejects.toEqual(refusal('MESH_ERR_PEER_UNKNOWN'));
    const [left] = await at.desk.peers();
    await at.desk.removePeer((left?.peerId ?? '').slice(0, 8));
    expect(await at.desk.peers()).toEqual([]);
  });

  it.each([
    ['no hex', 'zz'.repeat(32)],
    ['too short', '00'],
    ['a key of small order', `01${'00'.repeat(31)}`],
    ['its own key', hex(ownKeys.publicKey)],
  ])('refuses to add %s', async (_, publicKey) => {
    await using at = await deskWorld();
    await expect(at.desk.addPeer({ publicKey })).rejects.toEqual(refusal('MESH_ERR_PEER_KEY'));
  });

  it('refuses a name that another peer has', async () => {
    await using at = await deskWorld();
    await at.desk.addPeer({ publicKey: bob, name: 'bob' });
    const publicKey = hex(carolKeys.publicKey);
    await expect(at.desk.addPeer({ publicKey, name: 'bob' })).rejects.toEqual(
      refusal('MESH_ERR_PEER_KEY'),
    );
  });

  it('sends sealed to one peer: it waits to be sent, and both ends can read it', async () => {
    await using at = await deskWorld();
    await using there = await deskWorld(bobKeys);
    await at.desk.addPeer({ publicKey: bob, name: 'bob' });
    const { id } = await at.desk.send({ to: 'bob', text: 'the code is 4711' });
    const [item] = await at.store.dueOutgoing(at.clock.now(), 10);
    if (item === undefined) throw new Error('Nothing waits to be sent.');
    expect(item.envelope.header).toMatchObject({ message_id: id, kind: 'direct' });
    expect(Buffer.from(item.envelope.body, 'base64').toString()).not.toContain('4711');
    expect((await at.desk.messages())[0]).toMatchObject({ text: 'the code is 4711', isOwn: true });
    await there.store.settle({
      nowMs: 0,
      keys: { [at.id]: hex(ownKeys.publicKey) },
      verified: [{ envelope: item.envelope, from: at.id }],
      quarantined: [],
      rejected: [],
    });
    expect((await there.desk.messages())[0]).toMatchObject({
      kind: 'direct',
      text: 'the code is 4711',
      isOwn: false,
    });
  });

  it('seals with the key of a group, and shows nothing to who has none', async () => {
    await using at = await deskWorld();
    await at.desk.addPeer({ publicKey: bob, name: 'bob' });
    const request = { to: 'bob', text: 'for us', group: 'family' };
    const key = refusal('MESH_ERR_SEALED_GROUP_KEY');
    await expect(at.desk.send(request)).rejects.toEqual(key);
    await expect(at.desk.send({ ...request, group: '../family' })).rejects.toEqual(key);
    mkdirSync(at.paths.groups, { recursive: true });
    writeFileSync(`${at.paths.groups}/family.key`, '0f'.repeat(32), { mode: 0o600 });
    await at.desk.send(request);
    expect((await at.desk.messages())[0]).toMatchObject({ kind: 'group', text: 'for us' });
    writeFileSync(`${at.paths.groups}/family.key`, '0e'.repeat(32));
    expect((await at.desk.messages())[0]).toMatchObject({ kind: 'group', text: null });
  });

  it('shows why a message was not delivered', async () => {
    await using at = await deskWorld();
    await at.desk.addPeer({ publicKey: bob, name: 'bob' });
    const { id } = await at.desk.send({ to: 'bob', text: 'hello' });
    await at.store.settleOutgoing([
      { messageId: id, type: 'dead', code: 'MESH_ERR_RELAY_INBOX_FULL', reason: 'It is full.' },
    ]);
    expect(await at.desk.deadLetters()).toMatchObject([
      { id, code: 'MESH_ERR_RELAY_INBOX_FULL', reason: 'It is full.' },
    ]);
    expect(await at.desk.info()).toMatchObject({ peerId: at.id, meshId: 'mesh', pid: null });
  });
});

describe('tailOf', () => {
  it('gives each row once, from the row asked for, and ends with its signal', async () => {
    await using at = await deskWorld();
    for (const text of ['a', 'b']) await at.desk.post({ text });
    const end = new AbortController();
    const seen: (string | null)[] = [];
    const toRows = async (items: readonly { readonly row: number }[]) =>
      (await at.desk.messages({ after: 0, limit: 1_000 })).filter(({ row }) =>
        items.some((item) => item.row === row),
      );
    for await (const { text } of tailOf(at.store, toRows, 1, end.signal)) {
      seen.push(text);
      if (seen.length === 1) await at.desk.post({ text: 'c' });
      if (seen.length === 2) end.abort();
    }
    expect(seen).toEqual(['b', 'c']);
  });
});
