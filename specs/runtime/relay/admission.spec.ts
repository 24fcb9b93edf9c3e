import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { peerIdOf } from '../../../runtime/gossip/envelope-codec.ts';
import { RELAY_LIMITS } from '../../../runtime/relay/limits.ts';
import { Rates } from '../../../runtime/relay/rates.ts';
import { ReplayGuard } from '../../../runtime/relay/replay-guard.ts';
import { NOW_MS, samplePeer } from '../../support/gossip/letters.ts';
import { letter, lines, linesIn, relayWorld } from '../../support/gossip/relay-world.ts';
import { until } from '../../support/until.ts';

const [ann, bob] = [samplePeer(1), samplePeer(2)];
const inbox = `/inbox/${bob.id}`;
const codeFrom = (act: () => unknown): string | undefined => {
  try {
    act();
  } catch (error) {
    return codeOf(error);
  }
  return 'nothing';
};

describe('a request', () => {
  it.each([
    ['is not signed', { authorization: null }],
    ['has a proof of another form', { authorization: 'Bearer x' }],
    ['was signed for another relay', { relay: 'http://127.0.0.1:1' }],
    ['was signed for another path', { signedPath: `/inbox/${ann.id}` }],
    ['was signed for another query', { signedPath: `${inbox}?max=1` }],
    ['brings another body than it says', { body: '{"leases":[]}', signedBody: '{"leases":["1"]}' }],
  ])('is refused when it %s', async (_, change) => {
    await using world = await relayWorld();
    const path = 'body' in change ? `${inbox}/ack` : inbox;
    const said = await world.ask(bob, path, change);
    expect([said.status, said.code]).toEqual([401, 'MESH_ERR_RELAY_PROOF']);
  });

  it('is heard under each name of the loopback, and under those that the operator gives', async () => {
    await using world = await relayWorld({ publicUrls: ['https://relay.example'] });
    const { port } = world.relay;
    const names = [`http://localhost:${port}`, `http://[::1]:${port}`, 'https://relay.example'];
    for (const relay of names) expect((await world.ask(bob, inbox, { relay })).status).toBe(200);
  });

  it('to another address is heard under that, and under none of the others', async () => {
    await using world = await relayWorld({ host: '127.0.0.2' });
    const { port, url } = world.relay;
    expect(url).toBe(`http://127.0.0.2:${port}`);
    expect((await world.ask(bob, inbox)).status).toBe(200);
    const other = await world.ask(bob, inbox, { relay: `http://127.0.0.1:${port}` });
    expect(other.code).toBe('MESH_ERR_RELAY_PROOF');
    await using second = await relayWorld({ host: '::1' });
    expect(second.relay.url).toBe(`http://[::1]:${second.relay.port}`);
    expect((await second.ask(bob, inbox)).status).toBe(200);
  });

  it('counts once', async () => {
    await using world = await relayWorld();
    const nonce = 'ab'.repeat(16);
    expect((await world.ask(bob, inbox, { nonce })).status).toBe(200);
    const again = await world.ask(bob, inbox, { nonce });
    expect([again.status, again.code]).toEqual([401, 'MESH_ERR_RELAY_REPLAYED']);
    expect((await world.ask(ann, `/inbox/${ann.id}`, { nonce })).status).toBe(200);
  });

  it('that is a replay uses up nothing of what its victim may ask', async () => {
    await using world = await relayWorld({ limits: { requestsBurst: 2, requestsPerSecond: 0.1 } });
    const nonce = 'ef'.repeat(16);
    await world.ask(bob, inbox, { nonce });
    for (let round = 0; round < 3; round++)
      expect((await world.ask(bob, inbox, { nonce })).code).toBe('MESH_ERR_RELAY_REPLAYED');
    expect((await world.ask(bob, inbox)).status).toBe(200);
  });

  it('of a moment that is not now is refused, with the time of the relay', async () => {
    await using world = await relayWorld();
    for (const timeMs of [0, Date.now() - 61_000, Date.now() + 60_000]) {
      const said = await world.ask(bob, inbox, { timeMs });
      expect([said.status, said.code]).toEqual([401, 'MESH_ERR_RELAY_CLOCK']);
      const { details } = JSON.parse(said.text) as { details: { nowMs: number } };
      expect(Math.abs(details.nowMs - Date.now())).toBeLessThan(5000);
    }
  });

  it('of a relay that was started again does not count once more', async () => {
    await using world = await relayWorld();
    const [nonce, timeMs] = ['cd'.repeat(16), Date.now()];
    expect((await world.ask(bob, inbox, { nonce, timeMs })).status).toBe(200);
    await world.restart();
    expect((await world.ask(bob, inbox, { nonce, timeMs })).code).toBe('MESH_ERR_RELAY_CLOCK');
  });

  it('more often than a peer may ask is refused, with the time to wait', async () => {
    await using world = await relayWorld({ limits: { requestsBurst: 2, requestsPerSecond: 0.5 } });
    for (let round = 0; round < 2; round++) await world.ask(bob, inbox);
    const said = await world.ask(bob, inbox);
    expect([said.status, said.code]).toEqual([429, 'MESH_ERR_RELAY_RATE']);
    expect(Number(said.headers['retry-after'])).toBeGreaterThan(0);
    expect((await world.ask(ann, `/inbox/${ann.id}`)).status).toBe(200);
  });

  it.each([
    ['MESH_ERR_RELAY_NOT_FOUND', 404, '/', {}],
    ['MESH_ERR_RELAY_NOT_FOUND', 404, '/inbox/short', {}],
    ['MESH_ERR_RELAY_NOT_FOUND', 404, '/envelopes', {}],
    ['MESH_ERR_RELAY_NOT_FOUND', 404, inbox, { method: 'DELETE' }],
    ['MESH_ERR_RELAY_REQUEST', 400, `${inbox}?max=0`, {}],
    ['MESH_ERR_RELAY_REQUEST', 400, `${inbox}?all=1`, {}],
    ['MESH_ERR_RELAY_REQUEST', 400, `${inbox}/ack`, { body: '{' }],
    ['MESH_ERR_RELAY_REQUEST', 400, `${inbox}/ack`, { body: '{"leases":[1]}' }],
    [
      'MESH_ERR_RELAY_REQUEST',
      400,
      `${inbox}/ack`,
      {
        body: JSON.stringify({
          leases: Array.from({ length: RELAY_LIMITS.acksMax + 1 }, () => '1'),
        }),
      },
    ],
    [
      'MESH_ERR_RELAY_REQUEST',
      400,
      '/envelopes',
      { body: 'x\n'.repeat(RELAY_LIMITS.batchMax + 1) },
    ],
    [
      'MESH_ERR_RELAY_TOO_LARGE',
      413,
      '/envelopes',
      { body: Buffer.alloc(RELAY_LIMITS.bodyBytesMax + 1) },
    ],
  ] as const)('is %s (%i) for %s', async (code, status, path, change) => {
    await using world = await relayWorld();
    const said = await world.ask(bob, path, change);
    expect([said.status, said.code]).toEqual([status, code]);
  });

  it('whose body has no room beside others is asked to come again', async () => {
    await using world = await relayWorld({ limits: { readingBytesMax: 100 } });
    const said = await world.ask(ann, '/envelopes', { body: lines(letter(ann, bob)) });
    expect([said.status, said.code]).toEqual([503, 'MESH_ERR_RELAY_BUSY']);
  });

  it('with more envelopes than one may post at once is put off, the next one not', async () => {
    await using world = await relayWorld({
      limits: { envelopesBurst: 2, envelopesPerSecond: 0.1 },
    });
    const two = lines(letter(ann, bob), letter(ann, bob, 1));
    expect(linesIn(await world.ask(ann, '/envelopes', { body: two })).length).toBe(2);
    const said = await world.ask(ann, '/envelopes', { body: two });
    expect(said.code).toBe('MESH_ERR_RELAY_RATE');
  });
});

describe('a connection', () => {
  it('that is slow with its head or its body is ended', async () => {
    const limits = { headTimeoutMs: 100, requestTimeoutMs: 200, idleTimeoutMs: 400 };
    await using world = await relayWorld({ limits });
    const slow = [
      'GET / HT',
      'POST /envelopes HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc',
      '',
    ];
    const ended = slow.map((text) => {
      const socket = connect(world.relay.port, '127.0.0.1', () => void socket.write(text));
      let isEnded = false;
      socket.resume();
      socket.on('error', () => {
        isEnded = true;
      });
      socket.on('close', () => {
        isEnded = true;
      });
      return () => isEnded;
    });
    await until(() => ended.every((isEnded) => isEnded()));
    expect((await world.ask(bob, inbox)).status).toBe(200);
  });

  it('beyond as many as there may be is closed unheard', async () => {
    await using world = await relayWorld({ limits: { connectionsMax: 2 } });
    const open = [1, 2].map(() => connect(world.relay.port, '127.0.0.1'));
    await Promise.all(
      open.map((socket) => new Promise((resolve) => socket.once('connect', resolve))),
    );
    await expect(world.ask(bob, inbox)).rejects.toThrow();
    for (const socket of open) socket.destroy();
    await until(() => open.every(({ closed }) => closed));
  });
});

describe('ReplayGuard', () => {
  const limits = { behindMs: 60_000, aheadMs: 10_000, noncesMax: 3 };
  const request = (nonce: number, timeMs = NOW_MS) => ({
    key: peerIdOf(ann.publicKey),
    nonce: String(nonce),
    timeMs,
  });

  it('takes what is of its window, to the millisecond', () => {
    const guard = new ReplayGuard(limits, 0);
    for (const timeMs of [NOW_MS - 60_000, NOW_MS, NOW_MS + 10_000])
      expect(codeFrom(() => guard.checkTime(timeMs, NOW_MS))).toBe('nothing');
    for (const timeMs of [NOW_MS - 60_001, NOW_MS + 10_001])
      expect(codeFrom(() => guard.checkTime(timeMs, NOW_MS))).toBe('MESH_ERR_RELAY_CLOCK');
  });

  it('forgets a nonce only together with the moment in which it would count', () => {
    const guard = new ReplayGuard(limits, 0);
    guard.admit(request(1));
    expect(codeFrom(() => guard.admit(request(1)))).toBe('MESH_ERR_RELAY_REPLAYED');
    guard.checkTime(NOW_MS + 62_000, NOW_MS + 62_000);
    expect(guard.size).toBe(0);
    expect(codeFrom(() => guard.checkTime(NOW_MS, NOW_MS))).toBe('MESH_ERR_RELAY_CLOCK');
  });

  it('makes the window shorter in a flood, and lets no replay in', () => {
    const guard = new ReplayGuard(limits, 0);
    for (const nonce of [1, 2]) guard.admit(request(nonce, NOW_MS - 5000));
    for (const nonce of [3, 4]) guard.admit(request(nonce));
    expect(guard.size).toBe(2);
    expect(codeFrom(() => guard.checkTime(NOW_MS - 5000, NOW_MS))).toBe('MESH_ERR_RELAY_CLOCK');
    expect(codeFrom(() => guard.checkTime(NOW_MS, NOW_MS))).toBe('nothing');
    expect(codeFrom(() => guard.admit(request(4)))).toBe('MESH_ERR_RELAY_REPLAYED');
  });
});

describe('Rates', () => {
  it('lets through a burst and then as much as the time brings', () => {
    const rates = new Rates({ perSecond: 10, burst: 5, peersMax: 2 });
    const take = (count: number, nowMs: number, peer = 'a') =>
      codeFrom(() => rates.take(peer, count, nowMs));
    expect([take(5, 0), take(1, 0), take(1, 99), take(1, 100), take(1, 150)]).toEqual([
      'nothing',
      'MESH_ERR_RELAY_RATE',
      'MESH_ERR_RELAY_RATE',
      'nothing',
      'MESH_ERR_RELAY_RATE',
    ]);
    expect([take(6, 10_000), take(5, 10_000)]).toEqual(['nothing', 'MESH_ERR_RELAY_RATE']);
  });

  it('remembers as many peers as it may', () => {
    const rates = new Rates({ perSecond: 0.001, burst: 1, peersMax: 2 });
    for (const peer of ['a', 'b', 'c']) rates.take(peer, 1, 0);
    expect(codeFrom(() => rates.take('c', 1, 0))).toBe('MESH_ERR_RELAY_RATE');
    expect(codeFrom(() => rates.take('a', 1, 0))).toBe('nothing');
  });
});
