/**
 * What a supervisor has to do once nothing is under way: first it decides about children that have
 * ended by themselves, then it serves operations, each in the order in which they came.
 */
import type { Child } from './child.ts';
import { Fifo } from './delivery/fifo.ts';

/** An operation that waits for its turn. */
export interface Request {
  readonly whenFree: () => void;
  /** The supervisor ends first. */
  readonly whenGone: () => void;
}

/** See the head of this file. */
export class Agenda {
  #ended = new Fifo<Child>();
  readonly #requests = new Fifo<Request>();

  childEnded(child: Child): void {
    this.#ended.push(child);
  }

  request(request: Request): void {
    this.#requests.push(request);
  }

  /** Does what comes next; false when there is nothing to do. */
  next(decide: (child: Child) => void): boolean {
    const child = this.#ended.shift();
    if (child) {
      decide(child);
      return true;
    }
    const request = this.#requests.shift();
    request?.whenFree();
    return request !== undefined;
  }

  /** The supervisor is ending: nobody is decided about any more, and operations are told. */
  close(): void {
    this.#ended = new Fifo();
    for (let request = this.#requests.shift(); request; request = this.#requests.shift())
      request.whenGone();
  }
}
