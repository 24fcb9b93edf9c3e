import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RESPONDER_IDLE_MS } from '../../../machines/gossip/session-limits.ts';
import { SETS_KEPT_MAX, SET_FRESH_MS } from '../../../runtime/gossip/reconcile/limits.ts';
import { createReconciler } from '../../../runtime/gossip/reconcile/reconciler.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

type Row = readonly [id: string, createdAtMs: number];

const rows = (from: number, to: number): Row[] =>
  Array.from({ length: to - from }, (_, index) => [
    createHash('sha256')
      .update(String(from + index))
      .digest('hex'),
    1_700_000_000_000 + (from + index) * 1_000,
  ]);

function peerWith(messages: Row[], clock = new VirtualClock()) {
  let reads = 0;
  const store = {
    publicSet: (): Promise<readonly Row[]> => {
      reads++;
      return Promise.resolve([...messages]);
    },
  };
  const reconciler = createReconciler({ store, clock });
  return { reconciler, messages, clock, reads: () => reads };
}

/** All that the requester is told to be missing. */
async function missing(
  requester: ReturnType<typeof peerWith>,
  responder: ReturnType<typeof peerWith>,
  session = 'a',
): Promise<string[]> {
  const need: string[] = [];
  let frame: string | null = await requester.reconciler.initiate(session);
  while (frame !== null) {
    const answer: string = await responder.reconciler.respond(session, frame);
    const round = await requester.reconciler.reconcile(session, answer);
    need.push(...round.need);
    frame = round.next;
  }
  return need;
}

describe('createReconciler', () => {
  it('tells the requester what only the responder has', async () => {
    const [mine, theirs] = [peerWith(rows(0, 900)), peerWith(rows(100, 1_000))];
    const need = await missing(mine, theirs);
    expect(need.toSorted()).toEqual(
      rows(900, 1_000)
        .map(([id]) => id)
        .toSorted(),
    );
  });

  it('reads the store once for a session, and once for sessions that begin together', async () => {
    const [mine, theirs] = [peerWith(rows(0, 400)), peerWith(rows(0, 500))];
    await missing(mine, theirs, 'a');
    await missing(mine, theirs, 'b');
    expect([mine.reads(), theirs.reads()]).toEqual([1, 1]);
  });

  it('finds in the next session what was stored meanwhile', async () => {
    const [mine, theirs] = [peerWith(rows(0, 10)), peerWith(rows(0, 10))];
    expect(await missing(mine, theirs, 'a')).toEqual([]);
    theirs.messages.push(...rows(10, 12));
    await mine.clock.advance(SET_FRESH_MS);
    await theirs.clock.advance(SET_FRESH_MS);
    expect(await missing(mine, theirs, 'b')).toHaveLength(2);
  });

  it('goes on with a session whose set it no longer has', async () => {
    const [mine, theirs] = [peerWith(rows(0, 300)), peerWith(rows(0, 600))];
    const frame = await mine.reconciler.initiate('a');
    const answer = await theirs.reconciler.respond('a', frame);
    mine.reconciler.forget('a');
    for (let other = 0; other <= SETS_KEPT_MAX; other++)
      await theirs.reconciler.respond(`other-${String(other)}`, frame);
    const round = await mine.reconciler.reconcile('a', answer);
    let { next } = round;
    const need = [...round.need];
    while (next !== null) {
      const again: Awaited<ReturnType<typeof mine.reconciler.reconcile>> =
        await mine.reconciler.reconcile('a', await theirs.reconciler.respond('a', next));
      need.push(...again.need);
      next = again.next;
    }
    expect(new Set(need).size).toBe(300);
  });

  it('keeps no set of a session that has not been heard of for long', async () => {
    const theirs = peerWith(rows(0, 50));
    const frame = await peerWith(rows(0, 10)).reconciler.initiate('a');
    await theirs.reconciler.respond('a', frame);
    theirs.messages.push(...rows(50, 60));
    await theirs.clock.advance(RESPONDER_IDLE_MS);
    await theirs.reconciler.respond('a', frame);
    expect(theirs.reads()).toBe(1);
    await theirs.clock.advance(1);
    await theirs.reconciler.respond('a', frame);
    expect(theirs.reads()).toBe(2);
  });

  it('refuses a frame that is none', async () => {
    const { reconciler } = peerWith(rows(0, 3));
    for (const frame of ['', 'xyz', '6', '6100', 'AA'])
      await expect(reconciler.respond('a', frame)).rejects.toMatchObject({
        code: 'MESH_ERR_RECONCILE_FRAME',
      });
  });

  it('reads again after the store failed', async () => {
    let isBroken = true;
    const store = {
      publicSet: () => (isBroken ? Promise.reject(new Error('disk')) : Promise.resolve(rows(0, 3))),
    };
    const reconciler = createReconciler({ store, clock: new VirtualClock() });
    await expect(reconciler.initiate('a')).rejects.toThrow('disk');
    isBroken = false;
    expect(await reconciler.initiate('a')).toMatch(/^61/);
  });
});
