import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { systemRandom } from '../../../runtime/adapters/random.system.ts';
import { createRelayClient } from '../../../runtime/relay/client.ts';
import { RELAY_LIMITS } from '../../../runtime/relay/limits.ts';
import { samplePeer } from '../../support/gossip/letters.ts';
import { lyingRelay } from '../../support/gossip/lying-relay.ts';
import type { Lie } from '../../support/gossip/lying-relay.ts';
import { letter, post, relayWorld } from '../../support/gossip/relay-world.ts';
import { until } from '../../support/until.ts';

const [ann, bob] = [samplePeer(1), samplePeer(2)];
const refusalOf = (code: string): string => JSON.stringify({ code, message: '' });
const ALWAYS = new AbortController().signal;
const clientOf = (url: string, change: object = {}) =>
  createRelayClient({ url, key: bob, clock: systemClock, random: systemRandom, ...change });
const codeFrom = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(() => 'nothing', codeOf);

describe('a client of a relay', () => {
  it('posts, leases and acknowledges', async () => {
    await using world = await relayWorld();
    const [from, to] = [world.client(ann), world.client(bob)];
    const sent = [letter(ann, bob), letter(ann, bob, 1), letter(ann, bob, 2)];
    const results = await from.post([...sent, post(ann), ...sent.slice(0, 1)], ALWAYS);
    expect(results.map((result) => ('code' in result ? result.code : result.type))).toEqual([
      'accepted',
      'accepted',
      'accepted',
      'MESH_ERR_RELAY_RECIPIENT',
      'duplicate',
    ]);
    const items = await to.lease(2, ALWAYS);
    expect(items.map(({ envelope }) => envelope)).toEqual(sent.slice(0, 2));
    const key = Buffer.from(ann.publicKey).toString('hex');
    expect(new Set(items.map(({ senderKey }) => senderKey))).toEqual(new Set([key]));
    const leases = items.map(({ lease }) => lease);
    await to.ack([...leases, ...leases], ALWAYS);
    await to.ack(leases, ALWAYS);
    expect(world.relay.counts()).toMatchObject({ items: 1, settled: 2 });
    expect((await to.lease(9, ALWAYS)).map(({ envelope }) => envelope)).toEqual(sent.slice(2));
  });

  it('splits what is more than a relay takes at once', async () => {
    await using world = await relayWorld();
    const body = 'x'.repeat(600_000);
    const many = Array.from({ length: RELAY_LIMITS.batchMax + 6 }, (_, seq) =>
      letter(ann, bob, seq, seq < 5 ? body : undefined),
    );
    const results = await world.client(ann).post(many, ALWAYS);
    expect(results).toEqual(many.map(() => ({ type: 'accepted' })));
  });

  it('signs again with the time of a relay whose clock is another', async () => {
    const behindMs = 86_400_000;
    const clock = { ...systemClock, now: () => Date.now() - behindMs };
    await using world = await relayWorld();
    const client = clientOf(world.relay.url, { clock });
    expect(await client.lease(1, ALWAYS)).toEqual([]);
    expect(await client.lease(1, ALWAYS)).toEqual([]);
    expect(world.relay.refusals()).toEqual({ MESH_ERR_RELAY_CLOCK: 1 });
    client.close();
  });

  it('says of each message why a whole post was refused', async () => {
    await using world = await relayWorld({ limits: { readingBytesMax: 10 } });
    const results = await world.client(ann).post([letter(ann, bob), letter(ann, bob, 1)], ALWAYS);
    expect(results).toMatchObject([
      { type: 'refused', code: 'MESH_ERR_RELAY_BUSY', retryable: true },
      { type: 'refused', code: 'MESH_ERR_RELAY_BUSY', retryable: true },
    ]);
  });

  it('rejects with the code of the relay where it reads', async () => {
    await using world = await relayWorld({ limits: { requestsBurst: 1, requestsPerSecond: 0.1 } });
    const client = world.client(bob);
    await client.lease(1, ALWAYS);
    expect(await codeFrom(client.lease(1, ALWAYS))).toBe('MESH_ERR_RELAY_RATE');
  });

  it.each(['ftp://relay', 'relay', 'http://relay/path', ''])('takes no address like %j', (url) => {
    expect(() => clientOf(url)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_RELAY_REQUEST' }),
    );
  });

  it('says that nobody is there, or that nobody answers in time', async () => {
    const gone = await relayWorld();
    const { url } = gone.relay;
    await gone[Symbol.asyncDispose]();
    const client = clientOf(url);
    expect(await codeFrom(client.post([letter(bob, ann)], ALWAYS))).toBe(
      'MESH_ERR_RELAY_UNAVAILABLE',
    );
    await using silent = await lyingRelay(() => ({ silent: true }));
    const waiting = clientOf(silent.url, { timeoutMs: 50 });
    expect(await codeFrom(waiting.lease(1, ALWAYS))).toBe('MESH_ERR_RELAY_UNAVAILABLE');
    const stopped = clientOf(silent.url);
    const ending = new AbortController();
    const asked = codeFrom(stopped.lease(1, ending.signal));
    ending.abort();
    expect(await asked).toBe('MESH_ERR_RELAY_UNAVAILABLE');
    const closed = codeFrom(stopped.ack(['1'], ALWAYS));
    stopped.close();
    expect(await closed).toBe('MESH_ERR_RELAY_UNAVAILABLE');
  });
});

describe('a relay that lies', () => {
  const item = JSON.stringify({ lease: '1', envelope: letter(ann, bob) });
  const accepted = '{"result":"accepted"}\n';

  it.each<[string, Lie]>([
    ['another status', { status: 302, body: accepted }],
    ['no results', { status: 202 }],
    ['more results than messages', { status: 202, body: accepted.repeat(2) }],
    ['a result of another form', { status: 202, body: '{"result":"sold"}' }],
    ['no JSON', { status: 202, body: '<html>' }],
    ['an error page', { status: 500, body: '<html>' }],
    ['a code that nobody knows', { status: 400, body: refusalOf('MESH_ERR_RELAY_INVENTED') }],
    ['a code that is none of a relay', { status: 400, body: refusalOf('MESH_ERR_CLI_USAGE') }],
  ])('about a post with %s is not believed', async (_, lie) => {
    await using relay = await lyingRelay(() => lie);
    const client = clientOf(relay.url);
    expect(await codeFrom(client.post([letter(bob, ann)], ALWAYS))).toBe('MESH_ERR_RELAY_ANSWER');
    client.close();
  });

  it.each<[string, Lie]>([
    ['more messages than were asked for', { body: `${item}\n`.repeat(2) }],
    ['a message of another form', { body: '{"lease":1}' }],
    ['a sender key of another form', { body: '{"lease":"1","sender_key":"x","envelope":{}}' }],
    ['an answer without end', { body: Buffer.alloc(8 * 1024 * 1024, 'x') }],
  ])('about an inbox with %s is not believed', async (_, lie) => {
    await using relay = await lyingRelay(() => lie);
    const client = clientOf(relay.url);
    expect(await codeFrom(client.lease(1, ALWAYS))).toBe('MESH_ERR_RELAY_ANSWER');
    client.close();
  });

  it('gives through what it invents, for the peer to prove, and breaks off without a loss', async () => {
    await using relay = await lyingRelay((request) =>
      request.includes('max=1')
        ? { body: '{"lease":"1","envelope":{"header":"invented"}}\n' }
        : { body: item, broken: true },
    );
    const client = clientOf(relay.url);
    expect(await client.lease(1, ALWAYS)).toEqual([
      { lease: '1', envelope: { header: 'invented' } },
    ]);
    expect(await codeFrom(client.lease(2, ALWAYS))).toBe('MESH_ERR_RELAY_UNAVAILABLE');
    client.close();
  });

  it('about its time is believed once for each request', async () => {
    const nowMs = 5;
    const body = JSON.stringify({ code: 'MESH_ERR_RELAY_CLOCK', message: '', details: { nowMs } });
    await using relay = await lyingRelay(() => ({ status: 401, body }));
    const client = clientOf(relay.url);
    expect(await codeFrom(client.lease(1, ALWAYS))).toBe('MESH_ERR_RELAY_CLOCK');
    expect(relay.asked.length).toBe(2);
    client.close();
  });
});

describe('onWake', () => {
  it('tells when something is there, comes, and after the relay was away', async () => {
    await using world = await relayWorld();
    const from = world.client(ann);
    await from.post([letter(ann, bob)], ALWAYS);
    const client = world.client(bob);
    let told = 0;
    const stop = client.onWake(() => told++);
    await until(() => told >= 2, 'told when it opened, and that something waits');
    const before = told;
    await from.post([letter(ann, bob, 1)], ALWAYS);
    await until(() => told > before);
    const away = told;
    await world.restart();
    await until(() => told > away);
    stop();
    const last = told;
    await world.restart();
    await from.post([letter(ann, bob, 2)], ALWAYS);
    expect(told).toBe(last);
  });

  it('comes back after its socket was lost', async () => {
    await using relay = await lyingRelay(() => ({}));
    const client = clientOf(relay.url);
    client.onWake(() => {});
    await until(() => relay.upgrades() === 1);
    relay.hangUp();
    await until(() => relay.upgrades() === 2);
    client.close();
  });

  it('is for the owner of an inbox, and for a few at once', async () => {
    await using world = await relayWorld({ limits: { wakesOfPeerMax: 1 } });
    const stolen = await world.ask(ann, `/inbox/${bob.id}/wake`, { headers: UPGRADE });
    expect([stolen.status, stolen.code]).toEqual([403, 'MESH_ERR_RELAY_FORBIDDEN']);
    const unsigned = await world.ask(ann, `/inbox/${ann.id}/wake`, {
      headers: UPGRADE,
      authorization: null,
    });
    expect(unsigned.code).toBe('MESH_ERR_RELAY_PROOF');
    const other = await world.ask(ann, '/elsewhere', { headers: UPGRADE });
    expect([other.status, other.code]).toEqual([404, 'MESH_ERR_RELAY_NOT_FOUND']);
    const client = world.client(bob);
    let told = 0;
    client.onWake(() => told++);
    await until(() => told > 0);
    const second = await world.ask(bob, `/inbox/${bob.id}/wake`, { headers: UPGRADE });
    expect([second.status, second.code]).toEqual([503, 'MESH_ERR_RELAY_BUSY']);
  });
});

const UPGRADE = {
  connection: 'upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': Buffer.alloc(16).toString('base64'),
};
