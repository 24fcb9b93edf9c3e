/** The socket for receivers of `@statelyai/inspect`, as its own receiver sees it. */
import { createWebSocketReceiver } from '@statelyai/inspect';
import type { StatelyInspectionEvent } from '@statelyai/inspect';
import { assign, fromPromise, setup } from 'xstate';
import { describe, expect, it } from 'vitest';
import { dynamicPath } from '../../../supervisor/index.ts';
import { inspectorWorld, upgrade } from '../../support/web/inspector-world.ts';

const bellMachine = setup({
  types: {} as { context: { rung: number; password: string } },
  actors: { ring: fromPromise(() => new Promise(() => {})) },
  actions: {
    count: assign({ rung: ({ context }) => context.rung + 1 }),
    crack: () => {
      throw new Error('It cracked.');
    },
  },
}).createMachine({
  id: 'bell',
  context: { rung: 0, password: 'quasimodo' },
  initial: 'still',
  states: {
    still: { on: { pull: { target: 'ringing', actions: 'count' } } },
    ringing: { invoke: { id: 'ring', src: 'ring' }, on: { strike: { actions: 'crack' } } },
  },
});

const BELL = dynamicPath('house/bell');

/** Everything that the package's own receiver is told. */
function receive(server: string) {
  const seen: StatelyInspectionEvent[] = [];
  createWebSocketReceiver({ server }).subscribe((event) => seen.push(event));
  return seen;
}

type Seen<Type> = Extract<StatelyInspectionEvent, { type: Type }>;

const of = <Type extends StatelyInspectionEvent['type']>(
  seen: readonly StatelyInspectionEvent[],
  type: Type,
): Seen<Type>[] => seen.filter((one): one is Seen<Type> => one.type === type);

describe('the socket for Stately', () => {
  it('shows every living actor to a receiver that comes late, then what happens', async () => {
    await using at = await inspectorWorld();
    await at.tree.startChild('house', { id: 'bell', logic: bellMachine });
    await at.tree.startChild('house', { id: 'attic', type: 'supervisor', children: [] });
    at.tree.send(BELL, { type: 'pull' });
    const seen = receive(at.inspector.inviteStately());
    const actors = () => of(seen, '@xstate.actor');
    await expect.poll(() => actors().length, { timeout: 10_000 }).toBe(5);
    expect(actors().map(({ sessionId, parentId, name }) => [sessionId, parentId, name])).toEqual([
      ['house', undefined, 'house'],
      ['house/door', 'house', 'door'],
      ['house/bell', 'house', 'bell'],
      ['house/attic', 'house', 'attic'],
      ['house/bell/ring', 'house/bell', 'ring'],
    ]);
    const bell = actors().find(({ name }) => name === 'bell');
    expect(bell?.snapshot).toMatchObject({
      status: 'active',
      value: 'ringing',
      context: { rung: 1 },
    });
    expect(JSON.parse(bell?.definition ?? '')).toMatchObject({ id: 'bell', initial: 'still' });
    at.tree.send(BELL, { type: 'strike' });
    at.tree.send('house/door', { type: 'open' });
    await expect.poll(() => actors().length, { timeout: 10_000 }).toBe(6);
    expect(actors().at(-1)).toMatchObject({
      sessionId: 'house/bell',
      snapshot: { value: 'still' },
    });
    const door = seen.filter(({ sessionId }) => sessionId === 'house/door').slice(1);
    expect(door).toMatchObject([
      { type: '@xstate.event', event: { type: 'open' }, rootId: 'house', _version: '0.7.2' },
      { type: '@xstate.snapshot', event: { type: 'open' }, snapshot: { value: 'open' } },
    ]);
    expect(of(seen, '@xstate.snapshot').map(({ snapshot }) => snapshot.status)).toContain(
      'stopped',
    );
    expect(JSON.stringify(seen)).not.toContain('quasimodo');
  });

  it('is not there unless it was asked for, and lets each address in once', async () => {
    await using at = await inspectorWorld();
    const { port } = at.inspector;
    const cookie = await at.join();
    expect(await upgrade(port, { cookie }, '/stately')).toBe(404);
    expect(await upgrade(port, {}, '/stately?token=')).toBe(401);
    const path = (url: string): string => url.slice(url.indexOf('/stately'));
    const [old, current] = [at.inspector.inviteStately(), at.inspector.inviteStately()].map(path);
    const foreign = { origin: 'http://evil.example' };
    expect(await upgrade(port, foreign, current)).toBe(403);
    expect(await upgrade(port, { host: `evil.example:${port}` }, current)).toBe(403);
    expect(await upgrade(port, {}, old)).toBe(401);
    expect(await upgrade(port, {}, current)).toBe(101);
    expect(await upgrade(port, {}, current)).toBe(401);
    expect(await upgrade(port, {}, '/stately')).toBe(401);
    expect(
      await upgrade(port, {}, path(at.inspector.inviteStately()).replace('stately', 'live')),
    ).toBe(401);
  });
});
