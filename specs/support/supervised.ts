/** Actors that behave badly on request, and a world to supervise them in. */
import { assign, fromPromise, setup } from 'xstate';
import type { AnyActorLogic } from 'xstate';
import type { Random } from '../../machines/kernel/random.ts';
import { createTree } from '../../supervisor/index.ts';
import type {
  AnyChildSpec,
  ChildSpec,
  ExitReason,
  SupervisorReport,
  SupervisorSpec,
  Tree,
  TreeOptions,
} from '../../supervisor/index.ts';
import { VirtualClock, settle } from './virtual-clock.ts';

export interface ActorInput {
  /** Called with what happens to the actor. */
  readonly note?: (what: string) => void;
  /** Decides at each start what becomes of it. */
  readonly onStart?: () => 'up' | 'throw' | 'wait';
}

type ActorEvent =
  | { type: 'crash' }
  | { type: 'finish' }
  | { type: 'stop' }
  | { type: 'ready' }
  | { type: 'count' };

/** The types of a machine's setup. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it is there to be named
export const typesOf = <Types>(): Types => ({}) as Types;

/** A machine that counts, and that crashes, finishes, stops at once or never, as it is told. */
const obedient = (onStop: 'stopped' | undefined) =>
  setup({
    types: typesOf<{
      input: ActorInput;
      context: ActorInput & { count: number; how: 'up' | 'throw' | 'wait' };
      events: ActorEvent;
    }>(),
    actions: {
      count: assign({ count: ({ context }) => context.count + 1 }),
      crash: () => {
        throw new Error('crashed on request');
      },
      begin: ({ context }) => {
        context.note?.('start');
        if (context.how === 'throw') throw new Error('refused to start');
      },
      noteStop: ({ context }) => context.note?.('stop'),
    },
    guards: { mustWait: ({ context }) => context.how === 'wait' },
  }).createMachine({
    id: 'obedient',
    context: ({ input }) => ({ ...input, count: 0, how: input.onStart?.() ?? 'up' }),
    entry: 'begin',
    initial: 'deciding',
    on: {
      crash: { actions: 'crash' },
      finish: '.finished',
      count: { actions: 'count' },
      stop: onStop === undefined ? { actions: 'noteStop' } : '.stopped',
    },
    states: {
      deciding: { always: [{ guard: 'mustWait', target: 'waiting' }, { target: 'up' }] },
      waiting: { on: { ready: 'up' } },
      up: {},
      stopped: { type: 'final', entry: 'noteStop' },
      finished: { type: 'final' },
    },
  });

/** Stops when told to. */
export const obedientMachine = obedient('stopped');
/** Hears `stop` and goes on. */
export const deafMachine = obedient(undefined);

export const child = (id: string, spec: Partial<ChildSpec> = {}): ChildSpec => ({
  id,
  logic: obedientMachine,
  input: {},
  ...spec,
});

/** Ready in the state `up`. */
export const isUp = (snapshot: unknown): boolean =>
  (snapshot as { value?: unknown }).value === 'up';

export const never: AnyActorLogic = fromPromise(() => new Promise<never>(() => {}));

/** A repeatable stand-in for randomness (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const hex = (bytes: number): string =>
    Array.from({ length: bytes }, () =>
      Math.floor(fraction() * 256)
        .toString(16)
        .padStart(2, '0'),
    ).join('');
  return { fraction, hex };
}

/** A tree on a virtual clock, with everything that it reported. */
export class SupervisedWorld implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly tree: Tree;
  readonly reports: SupervisorReport[] = [];

  constructor(
    children: readonly AnyChildSpec[],
    root: Partial<SupervisorSpec> = {},
    options: Partial<TreeOptions> = {},
  ) {
    const spec: SupervisorSpec = { id: 'root', type: 'supervisor', children, ...root };
    const random = seededRandom(1);
    this.tree = createTree(spec, { clock: this.clock, random, ...options });
    this.tree.onReport((report) => this.reports.push(report));
  }

  /** Starts the tree, and lets it come as far as it can. */
  async begin(): Promise<{ readonly started: Promise<void> }> {
    const started = this.tree.start();
    await settle();
    return { started };
  }

  /** A world whose tree is up. */
  static async up(
    children: readonly AnyChildSpec[],
    root: Partial<SupervisorSpec> = {},
    options: Partial<TreeOptions> = {},
  ): Promise<SupervisedWorld> {
    const world = new SupervisedWorld(children, root, options);
    await world.tree.start();
    world.reports.length = 0;
    return world;
  }

  /** Sends `crash` to children of the root, and lets all that follows happen. */
  async crash(...ids: readonly string[]): Promise<void> {
    for (const id of ids) this.tree.send(`root/${id}`, { type: 'crash' });
    await settle();
  }

  async tell(id: string, type: string): Promise<void> {
    this.tree.send(`root/${id}`, { type });
    await settle();
  }

  /** `id:incarnation` of each child that runs, else `id:status`. */
  children(path = 'root'): string[] {
    return this.tree
      .whichChildren(path)
      .map(({ id, status, incarnation }) => `${id}:${status === 'running' ? incarnation : status}`);
  }

  /** `type path` of each report, without the root's own path prefix. */
  told(...types: readonly SupervisorReport['type'][]): string[] {
    return this.reports
      .filter(({ type }) => types.length === 0 || types.includes(type))
      .map(({ type, path }) => `${type} ${path.replace('root/', '')}`);
  }

  /** How the root ended, or `undefined` while it lives. */
  async end(): Promise<ExitReason | undefined> {
    return Promise.race([this.tree.ended, settle().then(() => undefined)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopped = this.tree.stop();
    const isThrough = stopped.then(() => true);
    for (let turn = 0; turn < 100; turn++) {
      if (await Promise.race([isThrough, settle().then(() => false)])) return;
      await this.clock.advance(60_000);
    }
    await stopped;
  }
}
