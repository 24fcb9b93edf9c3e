/**
 * Who runs next. Mail is delivered from here and never on the sender's stack: a chain of any length
 * needs one stack frame, a crash unwinds nobody else, and an actor with much mail gives way to the
 * others after a quantum. The event loop gets a turn after each slice.
 */
import type { Clock } from '../../machines/kernel/clock.ts';
import { Fifo } from './fifo.ts';
import type { Defer } from '../ports.ts';

/** Something a supervisor does between two events. Returns what it cost, in events. */
export interface Job {
  run(): number;
}

/** Something with mail. */
export interface Lane {
  /** Handles up to `quantum` letters; returns how many it handled. */
  turn(quantum: number): number;
  readonly hasMail: boolean;
}

/** Letters one lane may handle before the next lane's turn. */
export const QUANTUM = 64;
/** Letters handled before the event loop gets its turn: about 3 ms of machine events. */
export const SLICE_EVENTS_MAX = 1024;
/**
 * Time after which the event loop gets its turn, in milliseconds, however few letters that was. What
 * runs is never interrupted: the letters between two looks at the clock may come on top.
 */
export const SLICE_MS = 10;
/** Letters between two looks at the clock while they are quick; a look costs as much as 0.04 letters. */
export const LOOK_EVERY_MAX = 16;
/** Letters that take longer than this between two looks, in milliseconds, are not quick. */
const QUICK_MS = 1;

/** The shortest way: before the event loop goes on. */
export const microtask: Defer = (slice) => {
  // oxlint-disable-next-line promise/prefer-await-to-then -- a bare microtask, nothing to await
  void Promise.resolve().then(slice);
};

/** One for each tree. */
export class RunQueue {
  readonly #jobs = new Fifo<Job>();
  readonly #lanes = new Fifo<Lane>();
  readonly #defer: Defer;
  readonly #clock: Clock | undefined;
  #isAwake = false;
  #spent = 0;
  #spentMs = 0;
  #deadlineMs = Infinity;
  #lookedMs = 0;
  #lookEvery = 1;
  #unlooked = 1;

  /** Without a clock a slice is bounded by its letters alone. */
  constructor(defer: Defer = microtask, clock?: Clock) {
    this.#defer = defer;
    this.#clock = clock;
  }

  /** The slice has used up its time: whoever has a turn ends it. Ask after each letter. */
  get isLate(): boolean {
    if (!this.#clock || --this.#unlooked > 0) return false;
    const nowMs = this.#clock.monotonicNow();
    const isQuick = nowMs - this.#lookedMs < QUICK_MS;
    this.#lookEvery = isQuick ? Math.min(this.#lookEvery * 2, LOOK_EVERY_MAX) : 1;
    this.#unlooked = this.#lookEvery;
    this.#lookedMs = nowMs;
    return nowMs >= this.#deadlineMs;
  }

  /** Supervisors' work goes ahead of mail, one job for one lane's turn, so that neither starves. */
  post(job: Job): void {
    this.#jobs.push(job);
    this.#wake();
  }

  /** The lane has mail; call it once until its turn has emptied it. */
  ready(lane: Lane): void {
    this.#lanes.push(lane);
    this.#wake();
  }

  #wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    // A microtask has the shorter way, but a loop of microtasks would starve sockets and timers.
    if (this.#spent < SLICE_EVENTS_MAX && this.#spentMs < SLICE_MS) microtask(this.#slice);
    else this.#defer(this.#freshSlice);
  }

  readonly #freshSlice = (): void => {
    this.#spent = 0;
    this.#spentMs = 0;
    this.#slice();
  };

  readonly #slice = (): void => {
    const startedMs = this.#begin();
    try {
      while (this.#spent < SLICE_EVENTS_MAX) {
        const job = this.#jobs.shift();
        if (job) this.#spent += job.run();
        const lane = this.#lanes.shift();
        if (lane) this.#turn(lane);
        else if (!job) break;
        if (this.isLate) break;
      }
    } finally {
      this.#isAwake = false;
      this.#spentMs += (this.#clock?.monotonicNow() ?? 0) - startedMs;
      if (!this.#jobs.isEmpty || !this.#lanes.isEmpty) this.#wake();
    }
  };

  #begin(): number {
    const nowMs = this.#clock?.monotonicNow() ?? 0;
    this.#deadlineMs = nowMs + SLICE_MS - this.#spentMs;
    this.#lookedMs = nowMs;
    this.#lookEvery = 1;
    this.#unlooked = 1;
    return nowMs;
  }

  #turn(lane: Lane): void {
    try {
      this.#spent += lane.turn(QUANTUM);
    } finally {
      if (lane.hasMail) this.#lanes.push(lane);
    }
  }
}
