import { Actor, createActor, fromTransition, setup } from 'xstate';
import type { AnyActorRef } from 'xstate';
import { describe, expect, it } from 'vitest';
import { planned } from '../../supervisor/plans/planned-machine.ts';
import { createLeanActor } from '../../supervisor/xstate-actor.ts';
import { ParentPort } from '../../supervisor/xstate-shape.ts';
import { typesOf } from '../support/supervised.ts';

interface Kept {
  readonly send: (event: object) => void;
  readonly options: object;
  readonly logic: object;
  readonly src: unknown;
  readonly clock: unknown;
  readonly logger: unknown;
  readonly _actorScope: {
    readonly self: unknown;
    defer(task: () => void): void;
    stopChild(child: unknown): void;
  };
}

const machine = setup({
  types: typesOf<{ context: { n: number }; events: { type: 'go' }; emitted: { type: 'gone' } }>(),
}).createMachine({
  context: { n: 0 },
  initial: 'a',
  states: {
    a: { on: { go: { target: 'b', actions: ({ self }) => expect(self.id).toBe('lean') } } },
    b: {},
  },
});

const world = () => {
  const nothing = fromTransition((state: undefined) => state, undefined);
  const { system } = createActor(nothing);
  const parent = new ParentPort('root', 'root', system);
  const options = { id: 'lean', parent, input: 7, snapshot: undefined };
  const actor = createLeanActor(planned(machine), options);
  return { system, parent, actor, kept: actor as unknown as Kept };
};

/** Properties of its own or inherited, but not those of `Object`. */
function propertiesOf(actor: object): Set<string> {
  const names = new Set<string>();
  for (let at = actor; at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  return names;
}

describe('createLeanActor', () => {
  it('has every property that an actor of XState has', () => {
    const { actor, parent } = world();
    const plain = createActor(machine, { id: 'plain', parent: parent as never });
    expect(actor).toBeInstanceOf(Actor);
    const missing = [...propertiesOf(plain)].filter((name) => !propertiesOf(actor).has(name));
    // Undefined in XState, too, for an actor that a supervisor starts.
    expect(missing.toSorted()).toEqual(['_doneEvent', '_syncSnapshot', 'systemId']);
  });

  it('shares its first snapshot, and changes nobody else by changing', () => {
    const { actor, parent } = world();
    const other = createLeanActor(planned(machine), {
      id: 'other',
      parent,
      input: 7,
      snapshot: undefined,
    });
    expect(actor.getSnapshot()).toBe(other.getSnapshot());
    for (const one of [actor, other]) one.start?.();
    actor.send({ type: 'go' });
    expect(actor.getSnapshot()).toMatchObject({ value: 'b' });
    expect(other.getSnapshot()).toMatchObject({ value: 'a', context: { n: 0 } });
  });

  it('keeps a bound send, its options, clock and logger, and the logic it was given', () => {
    const { actor, kept, system } = world();
    const { send } = kept;
    expect(kept.send).toBe(send);
    actor.start?.();
    send({ type: 'go' });
    expect(actor.getSnapshot()).toMatchObject({ value: 'b' });
    expect(kept.options).toMatchObject({ id: 'lean', input: 7 });
    expect(kept.src).toBe(machine);
    expect(kept.clock).toBe((system as unknown as { _clock: unknown })._clock);
    expect(kept.logger).toBe((system as unknown as { _logger: unknown })._logger);
  });

  it('tells its observers and listeners, and each only as long as it listens', () => {
    const { actor } = world();
    const seen: unknown[] = [];
    const subscription = actor.subscribe(({ value }: { value: unknown }) => seen.push(value));
    actor.start?.();
    actor.send({ type: 'go' });
    subscription.unsubscribe();
    actor.send({ type: 'go' });
    expect(seen).toEqual(['a', 'b']);
  });

  it('refuses to stop a child of another actor, in the words of XState', () => {
    const { actor, kept } = world();
    actor.start?.();
    actor.send({ type: 'go' });
    const stranger = createActor(machine, { id: 'stranger' });
    expect(() => kept._actorScope.stopChild(stranger)).toThrow(
      'Cannot stop child actor stranger of lean because it is not a child',
    );
  });

  it('keeps what is sent before it starts, and drops what is sent after it has stopped', () => {
    const { actor } = world();
    actor.send({ type: 'go' });
    expect(actor.getSnapshot()).toMatchObject({ value: 'a' });
    actor.start?.();
    expect(actor.getSnapshot()).toMatchObject({ value: 'b' });
    (actor as AnyActorRef & { _stop(): void })._stop();
    expect(actor.getSnapshot()).toMatchObject({ status: 'stopped', value: 'b' });
  });
});
