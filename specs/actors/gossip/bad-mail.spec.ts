/** What a peer is sent and must not take: each is refused, counted by its code, and nothing else suffers. */
import { describe, expect, it } from 'vitest';
import { createActor, toPromise } from 'xstate';
import type { AnyActorRef } from 'xstate';
import { createResponderLogic } from '../../../actors/gossip/responder.actor.ts';
import { QUARANTINE_PER_AUTHOR_MAX } from '../../../machines/gossip/limits.ts';
import type { MetaQuestion } from '../../../machines/gossip/meta-message.schema.ts';
import {
  INBOX_BATCH_MAX,
  SESSIONS_PER_INTERVAL_MAX,
} from '../../../machines/gossip/session-limits.ts';
import type { PlantedBug } from '../../simulation/planted-bugs.ts';
import { samplePeer } from '../../support/gossip/letters.ts';
import { PuppetWorld } from '../../support/gossip/puppet-world.ts';

const SECOND = 1000;
const stranger = samplePeer(3);

const question = (world: PuppetWorld, session = '7'.repeat(32)): MetaQuestion => ({
  type: 'message_request',
  peer_id: world.puppet.id,
  session_id: session,
  since_timestamp: 0,
  cursor: null,
  capabilities: [],
});

/** After the present session with the puppet has ended. */
async function quietWorld(): Promise<PuppetWorld> {
  const world = new PuppetWorld();
  await world.runFor(3 * SECOND);
  world.say(world.page());
  await world.runFor(SECOND);
  return world;
}

/** The world in the middle of a session: the peer waits for the delivery of `letters`. */
async function waitingWorld(make: (world: PuppetWorld) => readonly string[]): Promise<PuppetWorld> {
  const world = new PuppetWorld();
  await world.runFor(3 * SECOND);
  world.say(world.page({ message_ids: [...make(world)] }));
  await world.runFor(SECOND);
  return world;
}

const flipped = (signature: string): string =>
  signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;

describe('the inbox', () => {
  it.each([
    ['of an unknown type', { type: 'mesh_gossip' }],
    ['with two thousand and one ids', (world: PuppetWorld) => manyIds(world, 2001)],
    ['with a field that is not known', (world: PuppetWorld) => ({ ...question(world), hops: 3 })],
    ['with a frame beyond its size', (world: PuppetWorld) => withFrame(world, 2 * 131_073)],
    ['which is a list', []],
  ])('refuses a meta message %s', async (_, body) => {
    const world = await quietWorld();
    world.say(typeof body === 'function' ? body(world) : body);
    await world.runFor(SECOND);
    expect(world.refusals).toEqual({ MESH_ERR_GOSSIP_META: 1 });
    expect(world.relay.waiting).toBe(0);
  });

  it('refuses a meta body that is no JSON', async () => {
    const world = await quietWorld();
    world.say({}, { body: Buffer.from('{"a":1,"a":2}') });
    await world.runFor(SECOND);
    expect(world.refusals).toEqual({ MESH_ERR_GOSSIP_META: 1 });
  });

  it('refuses a question in the name of another', async () => {
    const world = await quietWorld();
    world.say({ ...question(world), peer_id: stranger.id });
    await world.runFor(SECOND);
    expect(world.refusals).toEqual({ MESH_ERR_GOSSIP_SENDER: 1 });
    expect(world.heard()).toEqual([]);
  });

  it('answers a stranger whose key proves itself, and refuses one without a key', async () => {
    const world = new PuppetWorld({ isKnown: false });
    world.say(question(world));
    await world.runFor(SECOND);
    expect(world.heard()).toMatchObject([{ type: 'mesh_available', end: true }]);
    const again = world.make({
      kind: 'meta',
      recipientId: world.peer.id,
      body: Buffer.from(JSON.stringify(question(world))),
    });
    world.relay.post({ id: world.puppet.id, publicKey: '0'.repeat(64) }, [again]);
    await world.runFor(SECOND);
    expect(world.refusals).toEqual({ MESH_ERR_GOSSIP_UNKNOWN_SENDER: 1 });
  });

  it('refuses mail for somebody else, which a relay gives it', async () => {
    const world = await quietWorld();
    world.relay.lies = { ...world.relay.lies, misdelivers: 1 };
    for (let nth = 0; nth < 8; nth++)
      world.post(world.make({ kind: 'direct', recipientId: stranger.id }));
    world.say(question(world));
    await world.runFor(31 * SECOND);
    expect(world.refusals['MESH_ERR_GOSSIP_NOT_FOR_US']).toBeGreaterThan(0);
    expect(world.peer.disk.messages.size).toBe(0);
  });

  it('answers a question once, however often a relay repeats it', async () => {
    const world = await quietWorld();
    world.say(question(world));
    world.relay.lies = { ...world.relay.lies, replays: 0.7 };
    await world.runFor(60 * SECOND);
    expect(world.heard()).toHaveLength(1);
    expect(world.peer.ports?.counters.counts().tallies.replays).toBeGreaterThan(1);
  });

  it('refuses answers that nobody waits for', async () => {
    const world = await quietWorld();
    const answer = { peer_id: world.puppet.id, session_id: '9'.repeat(32), cursor: null };
    const delivery = { ...answer, type: 'mesh_delivery', envelopes: [world.make()] };
    world.say({ ...delivery, sender_keys: {}, end: true, gone: [] });
    await world.runFor(SECOND);
    expect(world.refusals).toEqual({ MESH_ERR_GOSSIP_UNSOLICITED: 1 });
    expect(world.peer.disk.messages.size).toBe(0);
  });

  it('keeps so many letters of a stranger and no more, and reads them when the key comes', async () => {
    const world = new PuppetWorld({ isKnown: false });
    for (let nth = 0; nth < QUARANTINE_PER_AUTHOR_MAX + 6; nth++) {
      const letter = world.make({ kind: 'direct', recipientId: world.peer.id }, stranger);
      world.relay.post({ id: stranger.id, publicKey: '0'.repeat(64) }, [letter]);
    }
    await world.runFor(31 * SECOND);
    expect(world.peer.disk.quarantine.size).toBe(QUARANTINE_PER_AUTHOR_MAX);
    expect(world.refusals).toMatchObject({ MESH_ERR_GOSSIP_QUARANTINE: 6 });
    const key = Buffer.from(stranger.publicKey).toString('hex');
    await world.peer.ports?.store.addKey(stranger.id, key);
    await world.runFor(61 * SECOND);
    expect(world.peer.disk.quarantine.size).toBe(0);
    expect(world.peer.disk.messages.size).toBe(QUARANTINE_PER_AUTHOR_MAX);
  });
});

describe('an inbox that crashes over one message', () => {
  it('handles all the others, one by one, and then many at once again', async () => {
    let batches: number[] = [];
    const bug: PlantedBug = {
      name: 'cannot read poison',
      seed: 0,
      plant: (ports) => ({
        ...ports,
        verifier: {
          ...ports.verifier,
          open: async (items, nowMs) => {
            if (JSON.stringify(items).includes(POISON)) throw new TypeError('poison');
            batches.push(items.length);
            return ports.verifier.open(items, nowMs);
          },
        },
      }),
    };
    const world = new PuppetWorld({ isKnown: false, bug });
    await world.runFor(SECOND);
    world.relay.onMail = () => undefined;
    const letter = { kind: 'direct', recipientId: world.peer.id } as const;
    for (let nth = 0; nth < 5; nth++) world.post(world.make(letter));
    world.post(world.make({ ...letter, body: Buffer.from(POISON, 'base64') }));
    for (let nth = 0; nth < 5; nth++) world.post(world.make(letter));
    await world.runFor(100 * SECOND);
    expect(world.peer.disk.messages.size).toBe(10);
    expect(world.relay.waiting).toBe(1);
    expect(Math.max(...batches)).toBe(1);
    batches = [];
    for (let nth = 0; nth < 2 * INBOX_BATCH_MAX; nth++) world.post(world.make(letter));
    await world.runFor(40 * SECOND);
    expect(world.peer.disk.messages.size).toBe(10 + 2 * INBOX_BATCH_MAX);
    expect(Math.max(...batches)).toBeGreaterThan(1);
  });
});

/** A body that no peer here can stand. */
const POISON = 'poison+body+';

describe('a delivery', () => {
  it('brings nothing that was not asked for, and nothing that is not public', async () => {
    const world = await waitingWorld((own) => [own.make({ seq: 99 }).header.message_id]);
    const direct = world.make({ kind: 'direct', recipientId: world.peer.id });
    world.say(world.delivery({ envelopes: [world.make(), direct, { what: 'is this' }] }));
    await world.runFor(SECOND);
    expect(world.refusals).toEqual({
      MESH_ERR_ENVELOPE_MALFORMED: 1,
      MESH_ERR_GOSSIP_NOT_PUBLIC: 1,
      MESH_ERR_GOSSIP_UNSOLICITED: 1,
    });
    expect(world.peer.disk.messages.size).toBe(0);
  });

  it('with a forgery beside the true message brings the true one', async () => {
    const letter = { seq: 99 };
    const world = await waitingWorld((own) => [own.make(letter).header.message_id]);
    const truth = world.oracle.genuine.values().find(({ header }) => header.seq === 99);
    if (truth === undefined) throw new Error('The letter was made.');
    const forgery = { ...truth, signature: flipped(truth.signature) };
    world.say(world.delivery({ envelopes: [forgery, truth] }));
    await world.runFor(SECOND);
    expect(world.peer.disk.messages.get(truth.header.message_id)?.envelope).toEqual(truth);
    expect(world.peer.disk.tombstones.size).toBe(1);
    expect(world.refusals).toEqual({ MESH_ERR_ENVELOPE_SIGNATURE: 1 });
    expect(world.peer.ports?.counters.counts().byPeer).toEqual({ [world.puppet.id]: 1 });
  });

  it('with the key of another for an author brings nothing verified', async () => {
    const world = await waitingWorld((own) => [own.make({ seq: 99 }, stranger).header.message_id]);
    const letter = world.oracle.genuine.values().find(({ header }) => header.seq === 99);
    const wrong = { [stranger.id]: Buffer.from(world.puppet.publicKey).toString('hex') };
    world.say(world.delivery({ envelopes: [letter], sender_keys: wrong }));
    await world.runFor(SECOND);
    expect(world.refusals).toEqual({ MESH_ERR_ENVELOPE_KEY: 1 });
    expect([world.peer.disk.messages.size, world.peer.disk.quarantine.size]).toEqual([0, 1]);
  });
});

describe('a responder', () => {
  it('gives nothing for ids that nobody announced, nor for what is not public', async () => {
    const world = await quietWorld();
    const direct = world.make({ kind: 'direct', recipientId: world.peer.id });
    world.post(direct);
    const posted = await world.posts('hello');
    await world.runFor(SECOND);
    const [bogus, secret] = ['f'.repeat(64), direct.header.message_id];
    expect(world.peer.disk.messages.has(secret)).toBe(true);
    const ids = [bogus, secret, posted];
    const request = { type: 'mesh_request', peer_id: world.puppet.id, cursor: null };
    world.say({ ...request, session_id: '7'.repeat(32), message_ids: ids });
    await world.runFor(SECOND);
    const [answer] = world.heard();
    expect(answer).toMatchObject({ type: 'mesh_delivery', gone: [bogus, secret], end: true });
    expect(answer?.type === 'mesh_delivery' && answer.envelopes).toHaveLength(1);
  });

  it('refuses a cursor that it has not given', async () => {
    const world = await quietWorld();
    world.say({ ...question(world), cursor: 'm5.5' });
    await world.runFor(SECOND);
    expect(world.refusals).toEqual({ MESH_ERR_GOSSIP_CURSOR: 1 });
  });

  it('begins no more sessions for one peer than an honest one could want', async () => {
    const world = await quietWorld();
    for (let nth = 0; nth < SESSIONS_PER_INTERVAL_MAX + 3; nth++) {
      world.say(question(world, nth.toString(16).padStart(32, '0')));
      // Longer than a responder waits for a further question.
      await world.runFor(30 * SECOND);
    }
    const answered = world.heard().filter(({ type }) => type === 'mesh_available');
    expect(answered.length).toBeLessThanOrEqual(SESSIONS_PER_INTERVAL_MAX);
    expect(world.refusals['MESH_ERR_GOSSIP_SESSIONS']).toBeGreaterThan(0);
  });

  it('gives one session no more answers than a whole store takes', async () => {
    const world = await quietWorld();
    const { ports } = world.peer;
    if (ports === undefined) throw new Error('The peer is down.');
    const { admitQuestion } = createResponderLogic(ports).implementations.actors;
    const input = { peer: world.puppet.id, session: 's', question: null, hasAnswersLeft: false };
    const actor = createActor(admitQuestion as never, { input } as never);
    const admission = toPromise(actor as unknown as AnyActorRef);
    actor.start();
    expect(await admission).toEqual({ isAdmitted: false });
    expect(world.refusals).toEqual({ MESH_ERR_GOSSIP_ANSWERS: 1 });
  });
});

const manyIds = (world: PuppetWorld, count: number): object => ({
  type: 'mesh_available',
  peer_id: world.puppet.id,
  session_id: '7'.repeat(32),
  since_timestamp: 0,
  message_ids: Array.from({ length: count }, (_, at) => at.toString(16).padStart(64, '0')),
  answers: null,
  cursor: null,
  end: true,
  as_of: 0,
});

const withFrame = (world: PuppetWorld, digits: number): object => ({
  ...question(world),
  reconcile: 'a'.repeat(digits),
});
