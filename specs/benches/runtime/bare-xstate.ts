/** Bare XState: the same machine as a root actor, or as a child of a machine written by hand. */
import { assign, createActor, enqueueActions, fromTransition, setup } from 'xstate';
import type { Actor, AnyActorRef } from 'xstate';
import { typesOf } from '../../support/supervised.ts';
import { median } from '../harness.ts';
import { afterWarmUp, bytesOfEach, countdown, secondsOf } from './figures.ts';
import type { Figure, Figures } from './figures.ts';
import { lampMachine } from './lamp.ts';
import type { LampEvent } from './lamp.ts';

async function eventsPerSecond(size: number, inspect: boolean): Promise<number> {
  let seen = 0;
  const options = { inspect: () => void seen++ };
  const actor = createActor(lampMachine, inspect ? options : {}).start();
  for (let at = 0; at < size / 5; at++) actor.send({ type: 'next' });
  const seconds = await secondsOf(() => {
    for (let at = 0; at < size; at++) actor.send({ type: 'next' });
  });
  if (inspect && seen < size) throw new Error(`Only ${seen} of ${size} events were seen.`);
  return size / seconds;
}

const spawnsPerSecond: Figure = async (size) => {
  const kept: unknown[] = [];
  const seconds = await secondsOf(() => {
    for (let at = 0; at < size; at++) kept.push(createActor(lampMachine).start());
  });
  return size / seconds;
};

/** Children of one actor; spawning them from a machine would cost a copy of all each time. */
async function childrenOf(size: number): Promise<unknown> {
  const root = createActor(fromTransition((state: undefined) => state, undefined)).start();
  const options = { parent: root as AnyActorRef };
  return Array.from({ length: size }, () => createActor(lampMachine, options).start());
}

type ParentEvent =
  | { type: 'begin'; count: number }
  | { type: 'lamp'; id: string; event: LampEvent };

interface Assigning {
  readonly context: { readonly lamps: Record<string, AnyActorRef> };
  spawn(src: 'lamp', options: { id: string }): AnyActorRef;
}

/** What people write who have no supervisor: starts a child again when it has failed. */
const parentMachine = setup({
  types: typesOf<{ context: { lamps: Record<string, AnyActorRef> }; events: ParentEvent }>(),
  actors: { lamp: lampMachine },
}).createMachine({
  context: { lamps: {} },
  on: {
    begin: {
      actions: assign({
        lamps: ({ spawn, event }) => {
          const lamps: Record<string, AnyActorRef> = {};
          for (let at = 0; at < event.count; at++) lamps[at] = spawn('lamp', { id: `${at}` });
          return lamps;
        },
      }),
    },
    lamp: { actions: ({ context, event }) => context.lamps[event.id]?.send(event.event) },
    'xstate.error.actor.*': {
      actions: enqueueActions(({ enqueue, event }) => {
        const { actorId } = event as unknown as { actorId: string };
        enqueue.stopChild(actorId);
        enqueue.assign({
          lamps: ({ context, spawn }: Assigning) => {
            context.lamps[actorId] = spawn('lamp', { id: actorId });
            return context.lamps;
          },
        });
      }),
    },
  },
});

function parentOf(count: number): Actor<typeof parentMachine> {
  const parent = createActor(parentMachine).start();
  parent.send({ type: 'begin', count });
  return parent;
}

const crashMicroseconds: Figure = async (size) => {
  const parent = parentOf(1);
  const times: number[] = [];
  for (let round = 0; round < size; round++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const from = performance.now();
    parent.send({ type: 'lamp', id: '0', event: { type: 'crash' } });
    parent.send({ type: 'lamp', id: '0', event: { type: 'ask', answer: resolve } });
    await promise;
    times.push((performance.now() - from) * 1000);
  }
  return median(times);
};

const stormSeconds: Figure = async (size) => {
  const parent = parentOf(size);
  const { note, reached } = countdown(size);
  return secondsOf(async () => {
    for (let at = 0; at < size; at++)
      parent.send({ type: 'lamp', id: `${at}`, event: { type: 'crash' } });
    for (let at = 0; at < size; at++)
      parent.send({ type: 'lamp', id: `${at}`, event: { type: 'ask', answer: note } });
    await reached;
  });
};

export const figures: Figures = {
  events: (size) => eventsPerSecond(size, false),
  inspected: (size) => eventsPerSecond(size, true),
  spawn: (size) => afterWarmUp(spawnsPerSecond, size),
  bytes: (size) => bytesOfEach(size, childrenOf),
  crash: (size) => afterWarmUp(crashMicroseconds, size),
  storm: (size) => afterWarmUp(stormSeconds, size),
};
