import { describe, expect, it } from 'vitest';
import { checkSupervisorSpec } from '../../supervisor/check-spec.ts';
import type { AnyChildSpec, SupervisorSpec } from '../../supervisor/index.ts';
import { SupervisedWorld, child } from '../support/supervised.ts';

const root = (fields: object): SupervisorSpec => ({ id: 'root', type: 'supervisor', ...fields });
const refused = (field: string, found: string) =>
  expect.objectContaining({
    code: 'MESH_ERR_SUPERVISOR_SPEC_INVALID',
    details: expect.objectContaining({ field, found }),
  });

describe('a supervisor', () => {
  it('that is below itself is refused, however deep', () => {
    const children: AnyChildSpec[] = [];
    const top = root({ children });
    children.push(root({ id: 'middle', children: [top] }));
    expect(() => checkSupervisorSpec(top)).toThrow(refused('children', '"itself"'));
  });

  it('may be at two places, as long as it is not below itself', () => {
    const shared = [child('x')];
    const at = (id: string) => root({ id, children: shared });
    expect(() => checkSupervisorSpec(root({ children: [at('a'), at('b')] }))).not.toThrow();
  });

  it('is refused when its tree is too deep to be meant', () => {
    let spec = root({ id: 'leaf' });
    for (let level = 0; level < 10_000; level++) spec = root({ children: [spec] });
    expect(() => checkSupervisorSpec(spec)).toThrow(refused('children', '100'));
  });

  it.each([-1, 1.5, Number.NaN, -Infinity])('with an intensity of %d is refused', (intensity) => {
    expect(() => checkSupervisorSpec(root({ intensity }))).toThrow(
      refused('intensity', String(intensity)),
    );
  });

  it('that was added below itself at run time is refused before anything starts', async () => {
    await using world = await SupervisedWorld.up([]);
    const children: AnyChildSpec[] = [];
    const loop = root({ id: 'loop', children });
    children.push(loop);
    await expect(world.tree.startChild('root', loop)).rejects.toEqual(
      refused('children', '"itself"'),
    );
    expect(world.children()).toEqual([]);
  });
});

describe('a mailbox', () => {
  it.each([
    [{ capacity: 0 }, 'mailbox.capacity', '0'],
    [{ capacity: 2.5 }, 'mailbox.capacity', '2.5'],
    [{ overflow: 'forget' }, 'mailbox.overflow', '"forget"'],
    [{ onRestart: 'lose' }, 'mailbox.onRestart', '"lose"'],
    [{ whileStarting: 'wait' }, 'mailbox.whileStarting', '"wait"'],
    [{ whileStarting: 'stash' }, 'mailbox.whileStarting', '"stash"'],
    [null, 'mailbox', 'null'],
  ])('%j is refused by %s', (mailbox, field, found) => {
    const bad = { ...child('a'), mailbox } as AnyChildSpec;
    expect(() => checkSupervisorSpec(root({ children: [bad] }))).toThrow(refused(field, found));
  });
});

describe('an event', () => {
  it.each([
    undefined,
    null,
    'count',
    {},
    { type: 7 },
    { type: 'xstate.stop' },
    { type: 'xstate.done.actor.x' },
  ])('%j is refused when it is sent, and when it is asked', async (event) => {
    await using world = await SupervisedWorld.up([child('a')]);
    const invalid = { code: 'MESH_ERR_SUPERVISOR_EVENT_INVALID', details: { path: 'root/a' } };
    expect(() => world.tree.send('root/a', event as never)).toThrow(
      expect.objectContaining({ code: invalid.code }),
    );
    await expect(world.tree.ask('root/a', event as never)).rejects.toMatchObject(invalid);
    expect(world.children()).toEqual(['a:1']);
    expect(world.clock.pending).toBe(0);
  });

  it('after stop is a dead letter, an operation is answered not_found, a start is refused', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    await world.tree.stop();
    expect(world.tree.send('root/a', { type: 'count' })).toBe(false);
    expect(world.tree.deadLetters.recent()).toMatchObject([{ reason: 'not_found' }]);
    const notFound = { ok: false, reason: 'not_found' };
    expect(await world.tree.startChild('root', child('b'))).toEqual(notFound);
    expect(await world.tree.terminateChild('root', 'a')).toEqual(notFound);
    expect(await world.tree.restartChild('root', 'a')).toEqual(notFound);
    expect(await world.tree.deleteChild('root', 'a')).toEqual(notFound);
    await expect(world.tree.ask('root/a', { type: 'count' })).rejects.toMatchObject({
      code: 'MESH_ERR_SUPERVISOR_ASK_UNREACHABLE',
    });
    await expect(world.tree.start()).rejects.toMatchObject({
      code: 'MESH_ERR_SUPERVISOR_START_ABORTED',
    });
  });
});
