/**
 * Who runs next. Mail is delivered from here and never on the sender's stack: a chain of any length
 * needs one stack frame, a crash unwinds nobody else, and an actor with much mail gives way to the
 * others after a quantum. The event loop gets a turn after each slice.
 */
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

const microtask: Defer = (slice) => {
  // oxlint-disable-next-line promise/prefer-await-to-then -- a bare microtask, nothing to await
  void Promise.resolve().then(slice);
};

/** One for each tree. */
export class RunQueue {
  readonly #jobs = new Fifo<Job>();
  readonly #lanes = new Fifo<Lane>();
  readonly #defer: Defer;
  #isAwake = false;
  #spent = 0;

  constructor(defer: Defer = microtask) {
    this.#defer = defer;
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
    if (this.#spent < SLICE_EVENTS_MAX) microtask(this.#slice);
    else this.#defer(this.#freshSlice);
  }

  readonly #freshSlice = (): void => {
    this.#spent = 0;
    this.#slice();
  };

  readonly #slice = (): void => {
    try {
      while (this.#spent < SLICE_EVENTS_MAX) {
        const job = this.#jobs.shift();
        if (job) this.#spent += job.run();
        const lane = this.#lanes.shift();
        if (lane) this.#turn(lane);
        else if (!job) break;
      }
    } finally {
      this.#isAwake = false;
      if (!this.#jobs.isEmpty || !this.#lanes.isEmpty) this.#wake();
    }
  };

  #turn(lane: Lane): void {
    try {
      this.#spent += lane.turn(QUANTUM);
    } finally {
      if (lane.hasMail) this.#lanes.push(lane);
    }
  }
}
