import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ANNOUNCEMENT_LIFETIME_MS } from '../../../actors/coordinator/ports/front.ts';
import { createPeerFolder } from '../../../runtime/adapters/peers.fs.ts';
import type { PeerAddress } from '../../../runtime/adapters/peers.fs.ts';
import { scratch } from '../../support/scratch.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const { signal } = new AbortController();
const AT = { host: '127.0.0.1', port: 7443 };

function world() {
  const folder = scratch();
  const clock = new VirtualClock();
  return {
    clock,
    path: join(folder.path, 'peers'),
    as: (name: string, configured?: readonly PeerAddress[]) =>
      createPeerFolder({
        folder: join(folder.path, 'peers'),
        name,
        clock,
        ...(configured && { configured }),
      }),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

describe('createPeerFolder', () => {
  it('finds others that say they are ready, and not itself', async () => {
    using one = world();
    const [a, b, c] = [one.as('a'), one.as('b'), one.as('c')];
    expect(await a.peers(signal)).toEqual([]);
    await a.announce({ ...AT, state: 'ready' });
    await b.announce({ ...AT, port: 7444, state: 'ready' });
    await c.announce({ ...AT, port: 7445, state: 'recovering' });
    expect(await a.peers(signal)).toEqual(['b']);
    expect(await c.peers(signal)).toEqual(['a', 'b']);
    expect(a.addressOf('b')).toEqual({ name: 'b', host: '127.0.0.1', port: 7444 });
    expect(() => a.addressOf('z')).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_COORDINATOR_PEER_REFUSED' }),
    );
    expect(statSync(join(one.path, 'a.json')).mode & 0o777).toBe(0o600);
    expect(readdirSync(one.path)).toEqual(['a.json', 'b.json', 'c.json']);
  });

  it('believes an entry for as long as it lasts, and forgets one that was withdrawn', async () => {
    using one = world();
    const [a, b] = [one.as('a'), one.as('b')];
    await a.announce({ ...AT, state: 'ready' });
    await one.clock.advance(ANNOUNCEMENT_LIFETIME_MS);
    expect(await b.peers(signal)).toEqual(['a']);
    await one.clock.advance(1);
    expect(await b.peers(signal)).toEqual([]);
    expect(await b.list()).toEqual([{ name: 'a', ...AT, state: 'ready', isLive: false }]);
    await a.announce({ ...AT, state: 'ready' });
    expect(await b.peers(signal)).toEqual(['a']);
    await a.withdraw();
    await a.withdraw();
    expect(await b.list()).toEqual([]);
  });

  it('asks peers that are only configured, and believes what they announce here', async () => {
    using one = world();
    const far = { name: 'far', host: 'far.example', port: 7443 };
    const near = { name: 'near', host: 'old.example', port: 1 };
    const own = one.as('a', [far, near, { name: 'a', ...AT }]);
    await one.as('near').announce({ ...AT, state: 'stale' });
    expect(await own.list()).toEqual([
      { ...far, state: null, isLive: true },
      { name: 'near', ...AT, state: 'stale', isLive: true },
    ]);
    expect(await own.peers(signal)).toEqual(['far']);
    expect(own.addressOf('near')).toEqual({ name: 'near', ...AT });
  });

  it.each([
    ['no JSON', '{'],
    ['another form', '{"name":"x"}'],
    [
      'the name of another file',
      JSON.stringify({ name: 'y', ...AT, state: 'ready', announcedAtMs: 0 }),
    ],
    ['over a kilobyte', JSON.stringify({ name: 'x'.repeat(1_100) })],
  ])('takes a file with %s for nobody', async (_, text) => {
    using one = world();
    const a = one.as('a');
    await one.as('b').announce({ ...AT, state: 'ready' });
    writeFileSync(join(one.path, 'x.json'), text);
    expect((await a.list()).map(({ name }) => name)).toEqual(['b']);
  });

  it('removes what has been gone for an hour, when it starts', async () => {
    using one = world();
    await one.as('old').announce({ ...AT, state: 'ready' });
    await one.clock.advance(3_600_001);
    await one.as('new').announce({ ...AT, state: 'ready' });
    expect(existsSync(join(one.path, 'old.json'))).toBe(false);
  });
});
