import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import type { CodedError } from '../../../machines/kernel/coded-error.ts';
import { expiresAt } from '../../../machines/gossip/envelope.ts';
import { openRelayStore } from '../../../runtime/adapters/relay-store.sqlite.ts';
import type { Mail } from '../../../runtime/adapters/relay-store.sqlite.ts';
import { encodeEnvelope } from '../../../runtime/gossip/envelope-codec.ts';
import { RELAY_LIMITS } from '../../../runtime/relay/limits.ts';
import { NOW_MS, metaMessage, samplePeer } from '../../support/gossip/letters.ts';
import { scratch } from '../../support/scratch.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const clock = new VirtualClock();
const [ann, bob] = [samplePeer(1), samplePeer(2)];
const lease = { max: 10, bytesMax: 1_000_000, leaseMs: 1000, nowMs: NOW_MS };

function mail(seq: number, ttlSeconds = 60): Mail {
  const envelope = metaMessage(ann, bob, seq, { ttlSeconds });
  return {
    messageId: envelope.header.message_id,
    recipient: bob.id,
    sender: ann.id,
    senderKey: Buffer.from(ann.publicKey).toString('hex'),
    expiresAtMs: expiresAt(envelope.header),
    text: encodeEnvelope(envelope).toString(),
  };
}

function thrownBy(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return codeOf(error);
  }
  return 'nothing';
}

describe('openRelayStore', () => {
  it('lets one relay in at a time, and only its user read the file', async () => {
    using folder = scratch();
    const path = folder.file('relay.sqlite');
    const store = openRelayStore({ path, clock });
    await store.accept([mail(0)], RELAY_LIMITS);
    expect(thrownBy(() => openRelayStore({ path, clock }))).toBe('MESH_ERR_RELAY_STORE_LOCKED');
    const modes = readdirSync(folder.path).map((name) => statSync(folder.file(name)).mode & 0o777);
    expect(new Set(modes)).toEqual(new Set([0o600]));
    store.close();
  });

  it('leaves a file of a later version as it is', () => {
    using folder = scratch();
    const path = folder.file('relay.sqlite');
    openRelayStore({ path, clock }).close();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(thrownBy(() => openRelayStore({ path, clock }))).toBe(
      'MESH_ERR_RELAY_STORE_SCHEMA_NEWER',
    );
  });

  it('keeps a damaged file aside and begins anew', () => {
    using folder = scratch();
    const path = folder.file('relay.sqlite');
    writeFileSync(path, 'This is no database, and it is long enough to be looked at.'.repeat(99));
    const told: CodedError[] = [];
    const store = openRelayStore({ path, clock, onCorrupt: (error) => told.push(error) });
    expect(told.map(({ code }) => code)).toEqual(['MESH_ERR_RELAY_STORE_CORRUPT']);
    expect(store.counts().items).toBe(0);
    store.close();
  });
});

describe('a relay store', () => {
  it('accepts nothing that does not fit into its file, and says so', async () => {
    using folder = scratch();
    const store = openRelayStore({
      path: folder.file('relay.sqlite'),
      clock,
      bytesMax: 256 * 1024,
    });
    const large = [0, 1, 2, 3, 4].map((seq) => ({ ...mail(seq), text: 'x'.repeat(90_000) }));
    const refused = store.accept(large, RELAY_LIMITS).catch(codeOf);
    expect(await refused).toBe('MESH_ERR_RELAY_STORE_UNAVAILABLE');
    expect(store.counts()).toMatchObject({ items: 0, bytes: 0 });
    expect(await store.accept([mail(9)], RELAY_LIMITS)).toEqual(['accepted']);
    store.close();
    expect(thrownBy(() => store.counts())).toBe('MESH_ERR_RELAY_STORE_UNAVAILABLE');
  });

  it('shares a commit among those who ask at once, and keeps their order', async () => {
    const store = openRelayStore({ path: ':memory:', clock });
    const twenty = Array.from({ length: 20 }, (_, seq) => mail(seq));
    await Promise.all(twenty.map((one) => store.accept([one], RELAY_LIMITS)));
    const leased = store.lease(bob.id, { ...lease, max: 20 });
    expect(leased.map(({ text }) => text)).toEqual(twenty.map(({ text }) => text));
    store.close();
  });

  it('removes what has expired in portions, with what it remembers of it', async () => {
    const store = openRelayStore({ path: ':memory:', clock });
    await store.accept([mail(0), mail(1), mail(2, 120), mail(3)], RELAY_LIMITS);
    const [first] = store.lease(bob.id, { ...lease, max: 1 });
    await store.ack(bob.id, [first?.lease ?? '']);
    expect(store.counts()).toMatchObject({ items: 3, settled: 1 });
    const end = NOW_MS + 60_000;
    expect([await store.prune(end - 1, 2), await store.prune(end, 2)]).toEqual([0, 2]);
    expect([await store.prune(end, 2), await store.prune(end, 2)]).toEqual([1, 0]);
    expect(store.counts()).toMatchObject({ items: 1, settled: 0, inboxes: 1, leased: 0 });
    expect([store.hasMail(bob.id, end), store.hasMail(ann.id, end)]).toEqual([true, false]);
    store.close();
  });
});
