/** comedy: actors that are objects with a method per message, here within this process. */
import { createSystem } from 'comedy';
import { afterWarmUp, bytesOfEach, secondsOf } from './figures.ts';
import type { Figure, Figures } from './figures.ts';

const COLOR_AFTER = { red: 'green', green: 'yellow', yellow: 'red' } as const;

class Lamp {
  color: keyof typeof COLOR_AFTER = 'red';
  turns = 0;

  next(): void {
    this.color = COLOR_AFTER[this.color];
    this.turns++;
  }

  ask(): number {
    return this.turns;
  }
}

async function lampsOf(size: number) {
  const system = createSystem({ test: true, additionalRequires: [] });
  const root = await system.rootActor();
  const lamps = await Promise.all(Array.from({ length: size }, () => root.createChild(Lamp)));
  return { system, lamps };
}

const eventsPerSecond: Figure = async (size) => {
  const { system, lamps } = await lampsOf(1);
  const seconds = await secondsOf(async () => {
    for (let at = 0; at < size; at++) void lamps[0]?.send('next');
    await lamps[0]?.sendAndReceive('ask');
  });
  await system.destroy();
  return size / seconds;
};

const startSeconds: Figure = (size) =>
  // What it started stays: to stop it takes far longer, and the process ends soon.
  secondsOf(() => lampsOf(size));

const stopSeconds: Figure = async (size) => {
  const { system } = await lampsOf(size);
  return secondsOf(() => system.destroy());
};

export const figures: Figures = {
  events: (size) => afterWarmUp(eventsPerSecond, size),
  spawn: async (size) => size / (await afterWarmUp(startSeconds, size)),
  bytes: (size) => bytesOfEach(size, lampsOf),
  start: (size) => afterWarmUp(startSeconds, size),
  stop: (size) => afterWarmUp(stopSeconds, size),
};
