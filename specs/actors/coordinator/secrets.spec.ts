/** Canaries: the bytes of every secret are looked for wherever something is shown. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { recoverByUser } from '../../../actors/coordinator/recover-state.ts';
import { Secret } from '../../../actors/coordinator/secret.ts';
import { issueMeshCert, serveRecover } from '../../../actors/coordinator/serve-requests.ts';
import { setManifest } from '../../../actors/coordinator/set-manifest.ts';
import { nodeKeyring } from '../../../runtime/coordinator/keyring.ts';
import {
  COORDINATOR_IDENTITY,
  CoordinatorWorld,
  OWNER_KEY,
  SEED_OWNER_SPKI,
  WORKLOAD_IDENTITY,
  setRequest,
} from '../../support/coordinator/coordinator-world.ts';
import { privatePartIn, shown, spellings } from '../../support/coordinator/canaries.ts';
import { openShare } from '../../support/coordinator/shares.ts';

const scalarIn = (pkcs8: Secret): Buffer => privatePartIn(pkcs8.reveal());

describe('Secret', () => {
  it('shows a word in JSON, text and inspection, also inside of errors', () => {
    const bytes = Uint8Array.from({ length: 64 }, (_, at) => at * 3);
    const secret = new Secret(bytes);
    const error = new Error(`It has ${String(secret)}.`, { cause: { secret } });
    for (const value of [secret, { secret }, [secret], error, new Map([['a', secret]])])
      for (const spelling of spellings(bytes)) expect(shown(value)).not.toContain(spelling);
    expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
    expect(inspect({ secret })).toBe('{ secret: [secret] }');
    expect(Object.keys(secret)).toEqual([]);
    expect(structuredClone({ length: secret.length })).toEqual({ length: 64 });
  });

  it('keeps its own copy', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const secret = new Secret(bytes);
    bytes.fill(0);
    expect([...secret.reveal()]).toEqual([1, 2, 3]);
  });
});

/** What a journal keeps of an actor. */
const partOf = (snapshot: unknown): unknown => {
  const { value, context, error } = snapshot as Record<string, unknown>;
  return { value, context, error };
};

describe('a mesh of Coordinators shows no secret', () => {
  it('in logs, notices, errors, reports, snapshots, events, describe() or what it keeps', async () => {
    await using world = new CoordinatorWorld();
    const [first, second] = [await world.add(), await world.add()];
    const seen: unknown[] = [];
    for (const { tree } of world.members) tree.inspect((one) => seen.push(one));
    const fail = async (work: () => unknown): Promise<void> => {
      await Promise.resolve()
        .then(work)
        .then(
          () => expect.unreachable(),
          (error: unknown) => seen.push(error),
        );
    };
    const request = setRequest();
    const { shares, transition } = await world.until(setManifest(first.ports, request));
    const states = [first.ports.cell.take()];
    const { signal } = new AbortController();
    const user = { ...openShare(shares[0]), callerKey: SEED_OWNER_SPKI, isForced: false };
    const wrong = nodeKeyring.createSeed();
    world.tamper = (response) => ({ ...response, seed: wrong.seed });
    await world.advance(20_000);
    await fail(() =>
      recoverByUser(second.ports, { ...user, seed: wrong.seed, isForced: true }, signal),
    );
    await fail(() => recoverByUser(second.ports, { ...user, salt: user.seed }, signal));
    await fail(() => recoverByUser(second.ports, { ...user, callerKey: OWNER_KEY }, signal));
    world.tamper = (response) => ({ ...response, meshKey: response.seed });
    await world.advance(20_000);
    world.tamper = (response) => response;
    await world.advance(20_000);
    expect(world.statuses()).toEqual(['ready', 'ready']);
    await world.until(first.set({ previous: transition }));
    states.push(first.ports.cell.take());
    const state = first.ports.cell.take();
    const proven = { identity: WORKLOAD_IDENTITY, isHardware: false };
    const { issued, response } = issueMeshCert(state, proven, OWNER_KEY);
    const handed = serveRecover(first.ports, { identity: COORDINATOR_IDENTITY, isHardware: false });
    await fail(() => serveRecover(first.ports, proven));
    await fail(() => first.set());
    seen.push(issued, response, handed, states, world.log, world.notices, wrong, user);
    for (const { name, tree, reports, ports } of world.members) {
      seen.push(tree.describe(), reports, tree.deadLetters, ports.cell, ports);
      for (const { id } of tree.whichChildren(name))
        seen.push(partOf(tree.snapshotOf(`${name}/${id}`)));
    }
    seen.push([...world.disk.content.values()].map((one) => Buffer.from(one).toString('latin1')));
    seen.push(world.disk.deliveries.map(({ bytes }) => Buffer.from(bytes).toString('latin1')));
    const secrets = [
      state.engine.seed.reveal(),
      state.engine.salt.reveal(),
      state.engine.workloadSecret('hello').reveal(),
      scalarIn(state.engine.rootKey()),
      ...states.map(({ meshKey }) => scalarIn(meshKey)),
      wrong.seed.reveal(),
    ];
    const text = seen.map(shown).join('\n').replace(/\s+/g, ' ');
    expect(seen.length).toBeGreaterThan(100);
    expect(text.length).toBeGreaterThan(10_000);
    // The instrument itself: it finds what is not hidden.
    const [seed = new Uint8Array()] = secrets;
    const bare = [{ seed }, { seed: Buffer.from(seed) }].map(shown).join('\n').replace(/\s+/g, ' ');
    expect(spellings(seed).filter((one) => bare.includes(one))).toHaveLength(3);
    const found = secrets.flatMap((secret, index) =>
      spellings(secret)
        .filter((spelling) => text.includes(spelling))
        .map((spelling) => `secret ${index}: ${spelling.slice(0, 16)}`),
    );
    expect(found).toEqual([]);
  });
});
