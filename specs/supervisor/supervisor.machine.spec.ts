import { describe, expect, it } from 'vitest';
import type { EventObject } from 'xstate';
import { modelTests } from '../../runtime/testing/index.ts';
import { supervisorMachine } from '../../supervisor/index.ts';
import type { SupervisorSpec } from '../../supervisor/index.ts';
import { machineSuite } from '../support/machine.suite.ts';
import { SupervisedWorld, child, deafMachine } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

const options = {
  input: undefined,
  samples: [
    { type: 'start' },
    { type: 'children.started' },
    { type: 'group.ended' },
    { type: 'stop' },
    { type: 'children.stopped' },
    { type: 'kill' },
  ],
} as const;

machineSuite(supervisorMachine, options);

/** A supervisor whose children become ready, and end, when they are told to. */
const slow: SupervisorSpec = {
  id: 'slow',
  type: 'supervisor',
  strategy: 'one_for_all',
  intensity: 100,
  shutdown: 1_000,
  children: [
    child('a', {
      logic: deafMachine,
      input: { onStart: () => 'wait' },
      ready: (snapshot) => (snapshot as { value?: unknown }).value === 'up',
      startTimeoutMs: 60_000,
      shutdown: 'infinity',
    }),
  ],
};

/** The real supervisor below a root; what moves the chart is done to it. */
class SlowWorld implements AsyncDisposable {
  readonly #world = new SupervisedWorld([]);
  #status = 'idle';

  async up(): Promise<void> {
    await this.#world.tree.start();
  }

  get status(): string {
    const { value } = (this.#world.tree.snapshotOf('root/slow') ?? {}) as { value?: string };
    // A supervisor that has ended is forgotten, and one that was not started is not known.
    this.#status = value ?? (this.#status === 'idle' ? 'idle' : 'stopped');
    return this.#status;
  }

  async cause({ type }: EventObject): Promise<void> {
    const { tree, clock } = this.#world;
    if (type === 'start') this.#quietly(tree.startChild('root', { ...slow, restart: 'temporary' }));
    if (type === 'children.started') tree.send('root/slow/a', { type: 'ready' });
    if (type === 'group.ended') tree.send('root/slow/a', { type: 'crash' });
    if (type === 'stop') this.#quietly(tree.terminateChild('root', 'slow'));
    if (type === 'children.stopped') tree.send('root/slow/a', { type: 'finish' });
    if (type === 'kill') {
      if (this.status !== 'stopping') this.#quietly(tree.terminateChild('root', 'slow'));
      await clock.advance(1_000);
    }
    await settle();
  }

  /** Answers of calls that the path does not wait for. */
  #quietly(answer: Promise<unknown>): void {
    // A start that is stopped, or a stop that is killed, is what the path wants.
    answer.catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#world[Symbol.asyncDispose]();
  }
}

/** Why no supervisor takes a transition of the graph. */
const UNTAKEN: Readonly<Record<string, string>> = {
  'idle: kill → stopped': 'What was not started has nobody who could kill it.',
};

describe('supervisor, the real one,', () => {
  const tests = modelTests(supervisorMachine, {
    events: options.samples,
    sut: async () => {
      const world = new SlowWorld();
      await world.up();
      return {
        apply: (event) => world.cause(event),
        check: ({ value }) => expect(world.status).toBe(value),
        dispose: () => world[Symbol.asyncDispose](),
      };
    },
  });
  const names = tests.cases.map(({ name }) => name);

  it.each(tests.cases.filter(({ name }) => !(name in UNTAKEN)))(
    'does as its chart says: $name',
    ({ run }) => run(),
  );

  it('takes every transition of its chart', () => {
    expect(tests.uncovered).toEqual([]);
    expect(Object.keys(UNTAKEN).filter((name) => !names.includes(name))).toEqual([]);
  });
});
