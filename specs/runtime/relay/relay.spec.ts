import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { encodeEnvelope } from '../../../runtime/gossip/envelope-codec.ts';
import { startRelay } from '../../../runtime/relay/relay.ts';
import { metaMessage, samplePeer, withHeader } from '../../support/gossip/letters.ts';
import { letter, lines, linesIn, post, relayWorld } from '../../support/gossip/relay-world.ts';
import type { RelayWorld, Said } from '../../support/gossip/relay-world.ts';
import { scratch } from '../../support/scratch.ts';
import { until } from '../../support/until.ts';

const [ann, bob, eve] = [samplePeer(1), samplePeer(2), samplePeer(3)];
const inbox = `/inbox/${bob.id}`;
const idsIn = (said: Said) =>
  linesIn(said).map(
    (line) => (line as { envelope: ReturnType<typeof letter> }).envelope.header.seq,
  );
const acks = (...leases: string[]) => ({ body: JSON.stringify({ leases }) });
const leasesIn = (said: Said) => linesIn(said).map(({ lease }) => String(lease));

describe('POST /envelopes', () => {
  it('answers each of a batch on its own, in order, also beside broken ones', async () => {
    await using world = await relayWorld({ meshId: 'home' });
    const good = letter(ann, bob);
    const forged = withHeader(letter(ann, bob, 2), { seq: 9 });
    const body = Buffer.concat([
      lines(good),
      Buffer.from('this is poison\n'),
      lines(letter(eve, bob), post(ann), good, forged),
      lines({ ...letter(ann, bob, 3), signature: good.signature }),
      lines(withOld(4)),
      lines(letter(ann, bob, 5)),
    ]);
    const said = await world.ask(ann, '/envelopes', { body });
    expect(said.status).toBe(202);
    const outcome = linesIn(said).map(({ result, code }) => code ?? result);
    expect(outcome).toEqual([
      'accepted',
      'MESH_ERR_ENVELOPE_MALFORMED',
      'MESH_ERR_RELAY_SENDER',
      'MESH_ERR_RELAY_RECIPIENT',
      'duplicate',
      'MESH_ERR_ENVELOPE_ID',
      'MESH_ERR_ENVELOPE_SIGNATURE',
      'MESH_ERR_ENVELOPE_EXPIRED',
      'accepted',
    ]);
    expect(idsIn(await world.ask(bob, inbox))).toEqual([0, 5]);
    expect(world.relay.refusals()).toMatchObject({ MESH_ERR_RELAY_SENDER: 1 });
  });

  it('refuses what is of another mesh where it is of one', async () => {
    await using world = await relayWorld({ meshId: 'office' });
    const said = await world.ask(ann, '/envelopes', { body: lines(letter(ann, bob)) });
    expect(linesIn(said)).toMatchObject([{ code: 'MESH_ERR_ENVELOPE_FOREIGN_MESH' }]);
  });

  it('keeps each message once for each recipient, also after it was acknowledged', async () => {
    await using world = await relayWorld();
    const body = lines(letter(ann, bob));
    await world.ask(ann, '/envelopes', { body });
    await world.ask(bob, `${inbox}/ack`, acks(...leasesIn(await world.ask(bob, inbox))));
    const again = await world.ask(ann, '/envelopes', { body });
    expect(linesIn(again)).toEqual([{ result: 'duplicate' }]);
    expect(idsIn(await world.ask(bob, inbox))).toEqual([]);
    expect(world.relay.counts()).toMatchObject({ items: 0, bytes: 0, inboxes: 0, settled: 1 });
  });

  it('loses nothing that it answered when it is started again', async () => {
    await using world = await relayWorld();
    await world.ask(ann, '/envelopes', { body: lines(letter(ann, bob), letter(ann, bob, 1)) });
    const [first] = leasesIn(await world.ask(bob, inbox));
    await world.ask(bob, `${inbox}/ack`, acks(first ?? ''));
    await world.restart();
    expect(idsIn(await world.ask(bob, inbox))).toEqual([1]);
  });
});

/** A message that has ended. */
const withOld = (seq: number) =>
  metaMessage(ann, bob, seq, { createdAtMs: Date.now() - 2000, ttlSeconds: 1 });

describe('a relay whose disk is full', () => {
  it('answers 503 without saying where its file is, and loses nothing that it has', async () => {
    await using world = await relayWorld({ bytesMax: 200 * 1024 });
    await world.ask(ann, '/envelopes', { body: lines(letter(ann, bob)) });
    const large = [1, 2, 3, 4].map((seq) => letter(ann, bob, seq, 'x'.repeat(60_000)));
    const said = await world.ask(ann, '/envelopes', { body: lines(...large) });
    expect([said.status, said.code]).toEqual([503, 'MESH_ERR_RELAY_STORE_UNAVAILABLE']);
    expect(said.text).not.toContain('sqlite');
    expect(said.text).toContain('"retryable":true');
    expect(idsIn(await world.ask(bob, inbox))).toEqual([0]);
  });
});

describe('any octets as a post', () => {
  it('are answered line by line, with a code each, and take nothing else along', async () => {
    await using world = await relayWorld();
    const good = letter(ann, bob);
    const line = fc
      .uint8Array({ minLength: 1, maxLength: 200 })
      .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 10 ? 0 : byte))));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 8 }), async (junk) => {
        const body = Buffer.concat(
          [...junk, encodeEnvelope(good)].flatMap((one) => [one, LINE_FEED]),
        );
        const said = linesIn(await world.ask(ann, '/envelopes', { body }));
        expect(said.slice(0, -1).every(({ code }) => code === 'MESH_ERR_ENVELOPE_MALFORMED')).toBe(
          true,
        );
        expect(said.length).toBe(junk.length + 1);
        expect(said.at(-1)?.['result']).toMatch(/accepted|duplicate/);
      }),
      { numRuns: 30 },
    );
  });
});

const LINE_FEED = Buffer.from('\n');

describe('quotas', () => {
  const limits = {
    inboxItemsMax: 4,
    inboxItemsOfSenderMax: 3,
    senderItemsMax: 5,
    inboxBytesMax: 100_000,
    senderBytesMax: 100_000,
  };
  const results = async (world: RelayWorld, ...sent: ReturnType<typeof letter>[]) =>
    linesIn(await world.ask(ann, '/envelopes', { body: lines(...sent) })).map(
      ({ result, code }) => code ?? result,
    );

  it('keep one sender from filling an inbox, and an inbox from growing for ever', async () => {
    await using world = await relayWorld({ limits });
    const four = [0, 1, 2, 3].map((seq) => letter(ann, bob, seq));
    expect(await results(world, ...four)).toEqual([
      'accepted',
      'accepted',
      'accepted',
      'MESH_ERR_RELAY_INBOX_FULL',
    ]);
    const [one, two] = [letter(eve, bob), letter(eve, bob, 1)];
    const said = await world.ask(eve, '/envelopes', { body: lines(one, two) });
    expect(linesIn(said)).toMatchObject([
      { result: 'accepted' },
      { code: 'MESH_ERR_RELAY_INBOX_FULL', retryable: true },
    ]);
  });

  it('bound what waits of one sender, and let more in as it is read', async () => {
    await using world = await relayWorld({ limits });
    const to = [bob, eve, samplePeer(4)].flatMap((peer) =>
      [0, 1].map((seq) => letter(ann, peer, seq)),
    );
    expect((await results(world, ...to)).slice(-2)).toEqual([
      'accepted',
      'MESH_ERR_RELAY_SENDER_FULL',
    ]);
    await world.ask(bob, `${inbox}/ack`, acks(...leasesIn(await world.ask(bob, inbox))));
    expect(await results(world, ...to.slice(-1))).toEqual(['accepted']);
  });

  it('count octets as well', async () => {
    await using world = await relayWorld({ limits });
    const large = [0, 1].map((seq) => letter(ann, bob, seq, 'x'.repeat(60_000)));
    expect(await results(world, ...large)).toEqual(['accepted', 'MESH_ERR_RELAY_INBOX_FULL']);
  });
});

describe('GET /inbox/PEER', () => {
  it('leases what waits, oldest first, and gives it again when the lease has ended', async () => {
    let nowMs = Date.now();
    await using world = await relayWorld({ clock: { ...systemClock, now: () => nowMs } });
    await world.ask(ann, '/envelopes', {
      body: lines(...[0, 1, 2].map((seq) => letter(ann, bob, seq))),
    });
    const ask = (query: string) => world.ask(bob, `${inbox}${query}`, { timeMs: nowMs });
    expect(idsIn(await ask('?max=2'))).toEqual([0, 1]);
    expect(idsIn(await ask('?max=2'))).toEqual([2]);
    expect(idsIn(await ask(''))).toEqual([]);
    nowMs += 59_999;
    expect(idsIn(await ask(''))).toEqual([]);
    nowMs += 1;
    expect(idsIn(await ask(''))).toEqual([0, 1, 2]);
  });

  it('gives what was handed out least first, so that poison blocks nothing', async () => {
    await using world = await relayWorld({ limits: { leaseMs: 0 } });
    await world.ask(ann, '/envelopes', { body: lines(letter(ann, bob, 0), letter(ann, bob, 1)) });
    const seen = [];
    for (let round = 0; round < 4; round++)
      seen.push(...idsIn(await world.ask(bob, `${inbox}?max=1`)));
    expect(seen).toEqual([0, 1, 0, 1]);
  });

  it('gives as much as fits, and at least one', async () => {
    await using world = await relayWorld({ limits: { leaseBytesMax: 1 } });
    await world.ask(ann, '/envelopes', { body: lines(letter(ann, bob, 0), letter(ann, bob, 1)) });
    expect(idsIn(await world.ask(bob, inbox))).toEqual([0]);
  });

  it('waits for the first message when asked to, and no longer', async () => {
    await using world = await relayWorld();
    const waiting = world.ask(bob, `${inbox}?wait=20000`);
    const [said] = await Promise.all([
      waiting,
      world.ask(ann, '/envelopes', { body: lines(letter(ann, bob)) }),
    ]);
    expect(idsIn(said)).toEqual([0]);
    expect(idsIn(await world.ask(bob, `${inbox}?wait=1`))).toEqual([]);
  });

  it('shows headers without bodies, and leases nothing by it', async () => {
    await using world = await relayWorld();
    const sent = letter(ann, bob);
    await world.ask(ann, '/envelopes', { body: lines(sent) });
    expect(linesIn(await world.ask(bob, `${inbox}/headers`))).toEqual([sent.header]);
    expect(idsIn(await world.ask(bob, inbox))).toEqual([0]);
  });

  it('lets nobody read, acknowledge or list the mail of another', async () => {
    await using world = await relayWorld();
    await world.ask(ann, '/envelopes', { body: lines(letter(ann, bob)) });
    const [lease] = leasesIn(await world.ask(bob, inbox));
    for (const path of [inbox, `${inbox}/headers`])
      expect((await world.ask(eve, path)).code).toBe('MESH_ERR_RELAY_FORBIDDEN');
    const stolen = await world.ask(eve, `${inbox}/ack`, acks(lease ?? ''));
    expect([stolen.status, stolen.code]).toEqual([403, 'MESH_ERR_RELAY_FORBIDDEN']);
    const own = await world.ask(eve, `/inbox/${eve.id}/ack`, acks(lease ?? '', 'x', '-1', '99'));
    expect(JSON.parse(own.text)).toEqual({ acknowledged: 0 });
    expect(world.relay.counts().items).toBe(1);
  });
});

describe('the life of a relay', () => {
  it('removes what has expired by itself', async () => {
    let nowMs = Date.now();
    const clock = { ...systemClock, now: () => nowMs };
    await using world = await relayWorld({ clock, limits: { pruneIntervalMs: 5 } });
    const short = metaMessage(ann, bob, 0, { createdAtMs: nowMs, ttlSeconds: 60 });
    await world.ask(ann, '/envelopes', { body: lines(short), timeMs: nowMs });
    expect(world.relay.counts().items).toBe(1);
    nowMs += 60_000;
    await until(() => world.relay.counts().items === 0);
    expect(world.relay.counts()).toMatchObject({ items: 0, bytes: 0, inboxes: 0 });
  });

  it('is a tree, says that it lives and what it did', async () => {
    await using world = await relayWorld();
    const { children } = world.relay.describe();
    expect(children.map(({ path }) => path)).toEqual(['relay/listener', 'relay/pruner']);
    await world.ask(ann, '/envelopes', { body: lines(letter(ann, bob)) });
    await world.ask(ann, inbox);
    expect((await world.ask(ann, '/livez', { authorization: null })).text).toBe('ok\n');
    const { text } = await world.ask(ann, '/metrics', { authorization: null });
    expect(await world.relay.metrics()).toContain('mesh_relay_requests_total{status="403"} 1');
    expect(text).toContain('mesh_relay_envelopes_total{result="accepted"} 1');
    expect(text).toContain('mesh_relay_refusals_total{code="MESH_ERR_RELAY_FORBIDDEN"} 1');
    expect(text).toContain('mesh_relay_waiting_messages 1');
  });

  it('refuses a port that is taken, and lets its file go', async () => {
    await using world = await relayWorld();
    using folder = scratch();
    const path = folder.file('relay.sqlite');
    const second = startRelay({ path, port: world.relay.port });
    expect(await second.catch(codeOf)).toBe('MESH_ERR_RELAY_LISTEN');
    await (await startRelay({ path })).stop();
  });
});
