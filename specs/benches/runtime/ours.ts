/** Ours: machines under a supervisor, on the system's clock, as a mesh runs them. */
import { startTree } from '../../../runtime/start-tree.ts';
import type { Strategy, Tree } from '../../../supervisor/index.ts';
import { median } from '../harness.ts';
import { afterWarmUp, bytesOfEach, countdown, secondsOf } from './figures.ts';
import type { Figure, Figures } from './figures.ts';
import { lampMachine } from './lamp.ts';

const NEXT = { type: 'next' };
const CRASH = { type: 'crash' };
/** Letters that wait at once while events are counted. */
const BURST = 10_000;

const treeOf = (size: number, strategy: Strategy = 'one_for_one'): Promise<Tree> =>
  startTree({
    id: 'root',
    type: 'supervisor',
    strategy,
    intensity: Infinity,
    children: Array.from({ length: size }, (_, at) => ({ id: `lamp-${at}`, logic: lampMachine })),
  });

/** Resolves when the actor has answered, so everything before that is done. */
const answerOf = (tree: Tree, path: string): Promise<void> =>
  new Promise((answer) => void tree.send(path, { type: 'ask', answer } as { type: string }));

async function sendMany(tree: Tree, size: number): Promise<void> {
  for (let sent = 0; sent < size; sent += BURST) {
    for (let at = 0; at < BURST; at++) tree.send('root/lamp-0', NEXT);
    await answerOf(tree, 'root/lamp-0');
  }
}

async function eventsPerSecond(size: number, inspect: boolean): Promise<number> {
  const tree = await treeOf(1);
  let seen = 0;
  if (inspect) tree.inspect(() => void seen++);
  await sendMany(tree, size / 5);
  const seconds = await secondsOf(() => sendMany(tree, size));
  await tree.stop();
  if (inspect && seen < size) throw new Error(`Only ${seen} of ${size} events were seen.`);
  return size / seconds;
}

const spawnsPerSecond: Figure = async (size) => {
  const tree = await startTree({
    id: 'root',
    type: 'supervisor',
    strategy: 'simple_one_for_one',
    children: [{ id: 'lamp', logic: lampMachine }],
  });
  const seconds = await secondsOf(async () => {
    const starts = Array.from({ length: size }, () => tree.startChild('root', {}));
    await Promise.all(starts);
  });
  await tree.stop();
  return size / seconds;
};

const startSeconds: Figure = async (size) => {
  let tree: Tree | undefined;
  const seconds = await secondsOf(async () => {
    tree = await treeOf(size);
  });
  await tree?.stop();
  return seconds;
};

const stopSeconds: Figure = async (size) => {
  const tree = await treeOf(size);
  return secondsOf(() => tree.stop());
};

/** From the moment the crash is sent to the answer of the next incarnation; median, microseconds. */
const crashMicroseconds: Figure = async (size) => {
  const tree = await treeOf(1);
  const path = 'root/lamp-0';
  const times: number[] = [];
  for (let round = 0; round < size; round++) {
    const from = performance.now();
    tree.send(path, CRASH);
    // Mail outlives a restart, so the next incarnation answers, as soon as it can.
    await answerOf(tree, path);
    times.push((performance.now() - from) * 1000);
  }
  const [lamp] = tree.whichChildren('root');
  await tree.stop();
  if (lamp?.restarts !== size) throw new Error(`Only ${lamp?.restarts} of ${size} restarts.`);
  return median(times);
};

/** All children crash at once; until the next incarnation of each has answered. */
const stormSeconds: Figure = async (size) => {
  const tree = await treeOf(size);
  const { note, reached } = countdown(size);
  const ask = { type: 'ask', answer: note } as { type: string };
  const seconds = await secondsOf(async () => {
    for (let at = 0; at < size; at++) tree.send(`root/lamp-${at}`, CRASH);
    for (let at = 0; at < size; at++) tree.send(`root/lamp-${at}`, ask);
    await reached;
  });
  await tree.stop();
  return seconds;
};

/** One child crashes and the supervisor restarts all; until each has answered. */
const groupSeconds: Figure = async (size) => {
  const tree = await treeOf(size, 'one_for_all');
  const { note, reached } = countdown(size);
  const ask = { type: 'ask', answer: note } as { type: string };
  const seconds = await secondsOf(async () => {
    const isUp = Promise.withResolvers<void>();
    tree.watch(`root/lamp-${size - 1}`, ({ type }) => {
      if (type === 'up') isUp.resolve();
    });
    tree.send('root/lamp-0', CRASH);
    await isUp.promise;
    for (let at = 0; at < size; at++) tree.send(`root/lamp-${at}`, ask);
    await reached;
  });
  await tree.stop();
  return seconds;
};

export const figures: Figures = {
  events: (size) => eventsPerSecond(size, false),
  inspected: (size) => eventsPerSecond(size, true),
  spawn: (size) => afterWarmUp(spawnsPerSecond, size),
  bytes: (size) => bytesOfEach(size, treeOf),
  crash: (size) => afterWarmUp(crashMicroseconds, size),
  start: (size) => afterWarmUp(startSeconds, size),
  stop: (size) => afterWarmUp(stopSeconds, size),
  group: (size) => afterWarmUp(groupSeconds, size),
  storm: (size) => afterWarmUp(stormSeconds, size),
};
