/**
 * Starting or stopping many children one after the other. A long list gives way to other work after
 * each batch, and every child is looked at once, so the cost is linear.
 */
import type { Child } from './child.ts';
import { beginStop, launch } from './lifecycle.ts';
import type { Supervisor } from './supervisor.ts';

/** Children handled before other work has its turn. */
const BATCH = 64;

/** Children set in motion in order, each waited for. */
export class Sequence {
  readonly #supervisor: Supervisor;
  readonly #children: readonly Child[];
  /** Sets one child in motion. */
  readonly #begin: (child: Child) => void;
  /** Whether the sequence must wait for this child. */
  readonly #isPending: (child: Child) => boolean;
  readonly #isParallel: boolean;
  readonly #done: () => void;
  #begun = 0;
  #finished = 0;
  #isAdvancing = false;
  #isPosted = false;

  constructor(options: {
    readonly supervisor: Supervisor;
    readonly children: readonly Child[];
    readonly begin: (child: Child) => void;
    readonly isPending: (child: Child) => boolean;
    readonly isParallel: boolean;
    readonly done: () => void;
  }) {
    this.#supervisor = options.supervisor;
    this.#children = options.children;
    this.#begin = options.begin;
    this.#isPending = options.isPending;
    this.#isParallel = options.isParallel;
    this.#done = options.done;
  }

  /** Goes as far as it can; call it after each change of a child. */
  advance(): number {
    if (this.#isAdvancing || this.#isPosted) return 0;
    this.#isAdvancing = true;
    let steps = 0;
    while (this.#isCurrent && this.#step()) {
      if (++steps < BATCH && !this.#supervisor.scope.queue.isLate) continue;
      this.#isAdvancing = false;
      this.#postpone();
      return steps;
    }
    this.#isAdvancing = false;
    if (this.#isCurrent && this.#finished === this.#children.length) this.#done();
    return steps + 1;
  }

  /** A sequence that was replaced does nothing more. */
  get #isCurrent(): boolean {
    return this.#supervisor.sequence === this;
  }

  #postpone(): void {
    this.#isPosted = true;
    this.#supervisor.scope.queue.post({
      run: () => {
        this.#isPosted = false;
        return this.#isCurrent ? this.advance() : 0;
      },
    });
  }

  /** One child further; false when it has to wait or is through. */
  #step(): boolean {
    const isAllowed = this.#isParallel || this.#begun === this.#finished;
    const next = isAllowed ? this.#children[this.#begun] : undefined;
    if (next) {
      this.#begun++;
      this.#begin(next);
      return true;
    }
    const waited = this.#children[this.#finished];
    if (!waited || this.#isPending(waited)) return false;
    this.#finished++;
    return true;
  }
}

/** Starts children in order, each ready before the next. */
export const startInOrder = (
  supervisor: Supervisor,
  children: readonly Child[],
  done: () => void,
): Sequence =>
  new Sequence({
    supervisor,
    children,
    begin: (child) => {
      if (!child.isAlive && !child.isGone) launch(child);
    },
    isPending: (child) => child.status === 'starting',
    isParallel: false,
    done,
  });

/** Stops children one after the other in the order given, or all at once. */
export const stopInOrder = (
  supervisor: Supervisor,
  children: readonly Child[],
  isParallel: boolean,
  done: () => void,
): Sequence =>
  new Sequence({
    supervisor,
    children,
    begin: (child) => {
      if (child.isAlive && child.status !== 'stopping') beginStop(child);
    },
    isPending: (child) => child.isAlive,
    isParallel,
    done,
  });
