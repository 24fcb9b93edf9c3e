/** nact: actors that are functions; its restart resets the state within the same mailbox. */
import { dispatch, spawn, start, stop } from 'nact';
import type { ActorSystemRef, Ref } from 'nact';
import { median } from '../harness.ts';
import { afterWarmUp, bytesOfEach, countdown, secondsOf } from './figures.ts';
import type { Figure, Figures } from './figures.ts';

// oxlint-disable-next-line typescript/no-generated-empty-object-type -- its references show nothing
type Lamp = Ref<Message>;
type System = ActorSystemRef;
interface State {
  readonly color: 'red' | 'green' | 'yellow';
  readonly turns: number;
}
type Message = 'next' | 'crash' | { readonly answer: () => void };

const COLOR_AFTER = { red: 'green', green: 'yellow', yellow: 'red' } as const;
const INITIAL: State = { color: 'red', turns: 0 };

function receive(state: State = INITIAL, message: Message): State {
  if (message === 'crash') throw new Error('crashed on request');
  if (message === 'next') return { color: COLOR_AFTER[state.color], turns: state.turns + 1 };
  message.answer();
  return state;
}

interface Supervision {
  readonly reset: symbol;
  readonly resetAll: symbol;
}

const lampOf = (system: System, at: number, isGroup = false): Lamp =>
  spawn(system, receive as never, `lamp-${at}`, {
    initialState: INITIAL,
    onCrash: ((_message: unknown, _error: unknown, context: Supervision) =>
      isGroup ? context.resetAll : context.reset) as never,
  } as never);

function lampsOf(size: number, isGroup = false): { system: System; lamps: Lamp[] } {
  const system = start();
  return { system, lamps: Array.from({ length: size }, (_, at) => lampOf(system, at, isGroup)) };
}

const tell = (lamp: Lamp | undefined, message: Message): void => {
  if (lamp) dispatch(lamp, message as never);
};

const answersOf = async (lamps: readonly Lamp[]): Promise<void> => {
  const { note, reached } = countdown(lamps.length);
  for (const lamp of lamps) tell(lamp, { answer: note });
  await reached;
};

const eventsPerSecond: Figure = async (size) => {
  const { system, lamps } = lampsOf(1);
  const seconds = await secondsOf(async () => {
    for (let at = 0; at < size; at++) tell(lamps[0], 'next');
    await answersOf(lamps);
  });
  stop(system);
  return size / seconds;
};

const spawnsPerSecond: Figure = async (size) => {
  let system: System | undefined;
  const seconds = await secondsOf(() => ({ system } = lampsOf(size)));
  if (system) stop(system);
  return size / seconds;
};

const stopSeconds: Figure = async (size) => {
  const { system } = lampsOf(size);
  return secondsOf(async () => {
    stop(system);
    // It tells each actor's `afterStop` in a turn of the event loop that follows.
    await new Promise((resolve) => void setImmediate(resolve));
  });
};

const crashMicroseconds: Figure = async (size) => {
  const { system, lamps } = lampsOf(1);
  const times: number[] = [];
  for (let round = 0; round < size; round++) {
    const from = performance.now();
    tell(lamps[0], 'crash');
    await answersOf(lamps);
    times.push((performance.now() - from) * 1000);
  }
  stop(system);
  return median(times);
};

const stormSeconds: Figure = async (size) => {
  const { system, lamps } = lampsOf(size);
  const seconds = await secondsOf(async () => {
    for (const lamp of lamps) tell(lamp, 'crash');
    await answersOf(lamps);
  });
  stop(system);
  return seconds;
};

const groupSeconds: Figure = async (size) => {
  const { system, lamps } = lampsOf(size, true);
  const seconds = await secondsOf(async () => {
    tell(lamps[0], 'crash');
    await answersOf(lamps.slice(0, 1));
    await answersOf(lamps);
  });
  stop(system);
  return seconds;
};

export const figures: Figures = {
  events: (size) => afterWarmUp(eventsPerSecond, size),
  spawn: (size) => afterWarmUp(spawnsPerSecond, size),
  bytes: (size) => bytesOfEach(size, async (count) => lampsOf(count)),
  crash: (size) => afterWarmUp(crashMicroseconds, size),
  start: async (size) => size / (await afterWarmUp(spawnsPerSecond, size)),
  stop: (size) => afterWarmUp(stopSeconds, size),
  group: (size) => afterWarmUp(groupSeconds, size),
  storm: (size) => afterWarmUp(stormSeconds, size),
};
