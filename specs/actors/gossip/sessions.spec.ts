/** One session from its first question to its end, also over the death of the program. */
import { describe, expect, it } from 'vitest';
import {
  ANSWER_TIMEOUT_MS,
  ATTEMPTS_MAX,
  QUERY_INTERVAL_MS,
} from '../../../machines/gossip/session-limits.ts';
import { PuppetWorld } from '../../support/gossip/puppet-world.ts';

const SECOND = 1000;

const stateOf = (world: PuppetWorld): unknown => {
  const path = `gossip/requesters/${world.puppet.id}`;
  return (world.peer.tree?.snapshotOf(path) as { value?: unknown } | undefined)?.value;
};

describe('a session', () => {
  it('asks, looks, asks for what is missing, and has it', async () => {
    const world = new PuppetWorld();
    await world.runFor(3 * SECOND);
    const letter = world.make();
    world.say(world.page({ message_ids: [letter.header.message_id] }));
    await world.runFor(SECOND);
    world.say(world.delivery({ envelopes: [letter] }));
    await world.runFor(SECOND);
    expect(world.peer.disk.messages.has(letter.header.message_id)).toBe(true);
    expect(world.record).toMatchObject({ open: null, outcome: 'done' });
    expect(world.oracle.violations).toEqual([]);
  });

  it('asks for nothing when there is nothing', async () => {
    const world = new PuppetWorld();
    await world.runFor(3 * SECOND);
    world.say(world.page());
    await world.runFor(SECOND);
    expect(world.heard()).toEqual([]);
    expect(world.record?.outcome).toBe('done');
  });

  it('goes on after kill -9, with what is left of its time', async () => {
    const world = new PuppetWorld();
    await world.runFor(3 * SECOND);
    const letter = world.make();
    world.say(world.page({ message_ids: [letter.header.message_id] }));
    await world.runFor(5 * SECOND);
    expect(stateOf(world)).toBe('awaitingDelivery');
    world.lastHeard('mesh_request');
    world.peer.crash();
    await world.runFor(20 * SECOND);
    world.peer.start();
    await world.runFor(SECOND);
    expect(stateOf(world)).toBe('awaitingDelivery');
    // Half of its time had passed before: the question is asked again when the rest has.
    await world.runFor(ANSWER_TIMEOUT_MS - 22 * SECOND);
    world.say(world.delivery({ envelopes: [letter] }));
    await world.runFor(SECOND);
    expect(world.peer.disk.messages.size).toBe(1);
    expect(world.record?.outcome).toBe('done');
    expect(world.peer.ports?.counters.counts().tallies.sessionsStarted).toBeUndefined();
  });

  it('closes after kill -9 when nothing is left to go on from, and asks nothing twice', async () => {
    const world = new PuppetWorld();
    // Its session is noted, and its first snapshot is not.
    await world.runFor(10);
    expect(world.record?.open).not.toBeNull();
    world.peer.crash();
    world.peer.start();
    await world.runFor(30 * SECOND);
    expect(world.heard()).toEqual([]);
    expect(world.record).toMatchObject({ open: null, outcome: 'timedOut', completedAtMs: null });
    await world.runFor(QUERY_INTERVAL_MS);
    world.say(world.page());
    await world.runFor(SECOND);
    expect(world.record?.outcome).toBe('done');
  });

  it('is not mixed up with one that had ended when the program was killed', async () => {
    const world = new PuppetWorld();
    await world.runFor(2 * SECOND);
    const before = world.page();
    // The end is noted in the store, and not yet in the journal.
    world.say(before);
    await world.runFor(100);
    expect(world.record).toMatchObject({ open: null, outcome: 'done' });
    world.peer.crash();
    await world.runFor(QUERY_INTERVAL_MS);
    world.peer.start();
    await world.runFor(3 * SECOND);
    const sessions = new Set(world.heard().map(({ session_id }) => session_id));
    expect(sessions).toEqual(new Set([world.record?.open?.sessionId]));
    expect(sessions.has(before.session_id)).toBe(false);
    expect(world.oracle.violations).toEqual([]);
  });

  it('gives up a peer that never answers, visibly, and asks again at the next interval', async () => {
    const world = new PuppetWorld();
    await world.runFor(3 * SECOND + ATTEMPTS_MAX * (ANSWER_TIMEOUT_MS + SECOND));
    const asked = world.heard();
    expect(asked.map(({ type }) => type)).toEqual(Array(ATTEMPTS_MAX).fill('message_request'));
    expect(world.record).toMatchObject({ outcome: 'timedOut', open: null, completedAtMs: null });
    expect(world.refusals['MESH_ERR_GOSSIP_SILENT']).toBe(1);
    await world.runFor(QUERY_INTERVAL_MS);
    expect(world.heard().length).toBeGreaterThan(0);
  });

  it('gives up a peer that announces what it never delivers, after all the rest', async () => {
    const world = new PuppetWorld();
    await world.runFor(3 * SECOND);
    const [bogus, letter] = ['f'.repeat(64), world.make()];
    const ids = [bogus, letter.header.message_id];
    world.say(world.page({ message_ids: ids, cursor: 'next', end: false }));
    for (let turn = 0; turn <= ATTEMPTS_MAX; turn++) {
      await world.runFor(SECOND);
      world.say(world.delivery({ envelopes: [letter] }));
    }
    await world.runFor(SECOND);
    world.say(world.page());
    await world.runFor(SECOND);
    expect(world.peer.disk.messages.size).toBe(1);
    expect(world.record).toMatchObject({ outcome: 'misbehaved', misbehaved: 1 });
    expect(world.refusals['MESH_ERR_GOSSIP_MISBEHAVED']).toBe(1);
  });

  it('takes no late answer to one request for the answer to the next', async () => {
    const world = new PuppetWorld();
    await world.runFor(3 * SECOND);
    const letters = Array.from({ length: 501 }, () => world.make());
    world.say(world.page({ message_ids: letters.map(({ header }) => header.message_id) }));
    await world.runFor(ANSWER_TIMEOUT_MS + SECOND);
    // Asked twice by now, and answered twice.
    const first = world.delivery({ envelopes: letters.slice(0, 500) });
    world.say(first);
    await world.runFor(SECOND);
    world.say(first);
    await world.runFor(SECOND);
    expect(world.heard()).toMatchObject([{ type: 'mesh_request', cursor: 'request-1' }]);
    expect(stateOf(world)).toBe('awaitingDelivery');
    world.say({ ...first, envelopes: letters.slice(500), cursor: 'request-1' });
    await world.runFor(SECOND);
    expect(world.peer.disk.messages.size).toBe(501);
    expect(world.refusals).toEqual({});
  });

  it('falls back to pages with a peer that cannot reconcile', async () => {
    const world = new PuppetWorld({ reconciles: true });
    await world.runFor(3 * SECOND);
    const letter = world.make();
    world.say(world.page({ message_ids: [letter.header.message_id] }));
    await world.runFor(SECOND);
    world.say(world.delivery({ envelopes: [letter] }));
    await world.runFor(SECOND);
    expect(world.record?.outcome).toBe('done');
  });

  it('ends over a frame that is none', async () => {
    const world = new PuppetWorld({ reconciles: true });
    await world.runFor(3 * SECOND);
    world.say({ ...world.page(), reconcile: '00ff' });
    await world.runFor(SECOND);
    expect(world.record?.outcome).toBe('misbehaved');
    expect(world.refusals['MESH_ERR_RECONCILE_FRAME']).toBe(1);
  });
});

describe('the query interval', () => {
  it('holds over any number of restarts', async () => {
    const world = new PuppetWorld();
    await world.runFor(3 * SECOND);
    world.say(world.page());
    await world.runFor(SECOND);
    for (let restart = 0; restart < 5; restart++) {
      world.peer.crash();
      world.peer.start();
      await world.runFor(100 * SECOND);
    }
    expect(world.heard()).toEqual([]);
    await world.runFor(QUERY_INTERVAL_MS - 500 * SECOND);
    expect(world.heard()).toMatchObject([{ type: 'message_request' }]);
    expect(world.oracle.violations).toEqual([]);
  });

  it('is no longer than itself after the wall clock was set back', async () => {
    const world = new PuppetWorld();
    await world.runFor(3 * SECOND);
    world.say(world.page());
    await world.runFor(SECOND);
    world.peer.crash();
    world.peer.skewMs = -4 * 60 * SECOND;
    world.peer.start();
    await world.runFor(QUERY_INTERVAL_MS - 5 * SECOND);
    expect(world.heard()).toEqual([]);
    await world.runFor(60 * SECOND);
    expect(world.heard()).toMatchObject([{ type: 'message_request' }]);
  });

  it('does not mind a wall clock that jumps while the program runs', async () => {
    const world = new PuppetWorld();
    await world.runFor(3 * SECOND);
    world.say(world.page());
    await world.runFor(SECOND);
    if (world.peer.clock) world.peer.clock.skewMs = 30 * 86_400 * SECOND;
    await world.runFor(QUERY_INTERVAL_MS / 2);
    expect(world.heard()).toEqual([]);
  });
});
