import { describe, expect, it } from 'vitest';
import { checkSupervisorSpec } from '../../supervisor/check-spec.ts';
import { childSpec } from '../../supervisor/index.ts';
import type { SupervisorSpec } from '../../supervisor/index.ts';
import { child, obedientMachine } from '../support/supervised.ts';

/** A spec as a program without types may hand it in. */
const root = (fields: object): SupervisorSpec => ({ id: 'root', type: 'supervisor', ...fields });
const worker = (fields: object): SupervisorSpec =>
  root({ children: [{ ...child('a'), ...fields }] });
const backoff = { minMs: 1, maxMs: 2, factor: 2, jitter: 0.5, resetAfterMs: 10 };

const refusals: readonly (readonly [SupervisorSpec, string, string])[] = [
  [root({ id: undefined }), 'id', 'the root'],
  [root({ id: '' }), 'id', 'the root'],
  [root({ id: 'a/b' }), 'id', 'the root'],
  [root({ id: 'x'.repeat(201) }), 'id', 'the root'],
  [root({ type: 'worker' }), 'type', 'root'],
  [root({ strategy: 'one_for_none' }), 'strategy', 'root'],
  [root({ intensity: -1 }), 'intensity', 'root'],
  [root({ intensity: Number.NaN }), 'intensity', 'root'],
  [root({ intensity: '3' }), 'intensity', 'root'],
  [root({ periodMs: 0 }), 'periodMs', 'root'],
  [root({ maxChildren: -1 }), 'maxChildren', 'root'],
  [root({ autoShutdown: 'sometimes' }), 'autoShutdown', 'root'],
  [root({ children: {} }), 'children', 'root'],
  [root({ children: [null] }), 'the spec', 'a child of root'],
  [root({ children: [child('a'), child('a')] }), 'children', 'root'],
  [root({ strategy: 'simple_one_for_one' }), 'children', 'root'],
  [
    root({
      strategy: 'simple_one_for_one',
      autoShutdown: 'any_significant',
      children: [child('a')],
    }),
    'autoShutdown',
    'root',
  ],
  [worker({ id: undefined }), 'id', 'a child of root'],
  [worker({ logic: undefined }), 'logic', 'root/a'],
  [worker({ logic: () => {} }), 'logic', 'root/a'],
  [worker({ type: 'job' }), 'type', 'root/a'],
  [worker({ restart: 'always' }), 'restart', 'root/a'],
  [worker({ shutdown: -1 }), 'shutdown', 'root/a'],
  [worker({ shutdown: 'later' }), 'shutdown', 'root/a'],
  [worker({ ready: true }), 'ready', 'root/a'],
  [worker({ startTimeoutMs: -5 }), 'startTimeoutMs', 'root/a'],
  [worker({ mailbox: 'lose' }), 'mailbox', 'root/a'],
  [worker({ resume: 'maybe' }), 'resume', 'root/a'],
  [worker({ resume: { from: 'fresh' } }), 'resume', 'root/a'],
  [
    worker({ resume: { from: 'snapshot', durability: { everyMs: -1, everyEvents: 1 } } }),
    'resume.durability.everyMs',
    'root/a',
  ],
  [
    worker({ resume: { from: 'snapshot', durability: { everyMs: 1, everyEvents: 0 } } }),
    'resume.durability.everyEvents',
    'root/a',
  ],
  [worker({ resume: { from: 'snapshot', version: 2 } }), 'resume.version', 'root/a'],
  [worker({ resume: { from: 'snapshot', migrate: 'x' } }), 'resume.migrate', 'root/a'],
  [worker({ resume: { from: 'snapshot', failuresMax: 0 } }), 'resume.failuresMax', 'root/a'],
  [worker({ backoff: { ...backoff, minMs: -1 } }), 'backoff.minMs', 'root/a'],
  [worker({ backoff: { ...backoff, maxMs: 0 } }), 'backoff.maxMs', 'root/a'],
  [worker({ backoff: { ...backoff, factor: 0.5 } }), 'backoff.factor', 'root/a'],
  [worker({ backoff: { ...backoff, jitter: 2 } }), 'backoff.jitter', 'root/a'],
  [
    worker({ backoff: { minMs: 1, maxMs: 2, factor: 2, jitter: 0 } }),
    'backoff.resetAfterMs',
    'root/a',
  ],
  [worker({ significant: true }), 'significant', 'root/a'],
  [worker({ significant: true, restart: 'transient' }), 'significant', 'root/a'],
];

describe('checkSupervisorSpec', () => {
  it.each(refusals)('refuses %j by %s of %s', (spec, field, at) => {
    expect(() => checkSupervisorSpec(spec)).toThrow(
      expect.objectContaining({
        code: 'MESH_ERR_SUPERVISOR_SPEC_INVALID',
        message: expect.stringContaining(`${at} was refused: ${field} must be`),
      }),
    );
  });

  it('looks at the whole tree before anything is started', () => {
    const sub = root({ id: 'sub', children: [child('a'), { ...child('b'), restart: 'x' }] });
    expect(() => checkSupervisorSpec(root({ children: [sub] }))).toThrow(/root\/sub\/b/);
  });

  it('accepts every combination that can be meant', () => {
    let accepted = 0;
    for (const restart of ['permanent', 'transient', 'temporary'])
      for (const shutdown of [0, 1, Infinity, 'brutal_kill', 'infinity', undefined])
        for (const autoShutdown of ['never', 'any_significant', 'all_significant'])
          for (const significant of [false, true]) {
            if (significant && (restart === 'permanent' || autoShutdown === 'never')) continue;
            const spec = { ...child('a'), restart, shutdown, significant, backoff };
            checkSupervisorSpec(root({ autoShutdown, children: [spec] }));
            accepted++;
          }
    expect(accepted).toBe(78);
  });

  it('does not mind fields that it does not know', () => {
    expect(() => checkSupervisorSpec(root({ colour: 'blue' }))).not.toThrow();
  });
});

describe('childSpec', () => {
  it('infers input and snapshot from the logic', () => {
    const spec = childSpec({
      id: 'a',
      logic: obedientMachine,
      input: ({ incarnation }) => ({ note: () => incarnation }),
      ready: (snapshot) => snapshot.matches('up'),
    });
    expect(spec.id).toBe('a');
    // @ts-expect-error -- this machine takes no such input
    childSpec({ id: 'b', logic: obedientMachine, input: { note: 'not a function' } });
    // @ts-expect-error -- nor is there such a state
    childSpec({ id: 'c', logic: obedientMachine, ready: (snapshot) => snapshot.matches('down') });
  });
});
