/** Mail that reached nobody: counted, and the newest kept to be looked at. */
import type { EventObject } from 'xstate';

/** Why an event reached nobody. */
export type DeadLetterReason =
  /** No child has this path. */
  | 'not_found'
  /** The child is known but not running. */
  | 'not_running'
  /** The path names a supervisor, which takes no mail. */
  | 'supervisor'
  /** It was sent to an incarnation that has ended. */
  | 'ended'
  /** Its child ended with `mailbox: 'dead_letter'`, or for good, before it was handled. */
  | 'unhandled'
  /** The child's mailbox, or the place where mail waits for its restart, was full. */
  | 'mailbox_full'
  /** It is an answer, and whoever asked does not wait for it any more. */
  | 'late_answer';

/** One event that reached nobody. */
export interface DeadLetter {
  readonly path: string;
  readonly event: EventObject;
  readonly reason: DeadLetterReason;
  readonly atMs: number;
}

/** Letters kept for inspection; older ones are only counted. */
export const DEAD_LETTERS_KEPT_MAX = 256;

/** What can be seen of dead letters from outside. */
export interface DeadLettersView {
  /** All dead letters since the tree was created. */
  readonly count: number;
  /** The newest ones, oldest first. */
  recent(): readonly DeadLetter[];
}

/** A counter and a ring. */
export class DeadLetters implements DeadLettersView {
  #count = 0;
  readonly #kept: DeadLetter[] = [];
  /** Is told of each. */
  onLetter: ((letter: DeadLetter) => void) | undefined = undefined;
  /** The same, while somebody inspects the tree. */
  onInspect: ((letter: DeadLetter) => void) | undefined = undefined;

  get count(): number {
    return this.#count;
  }

  add(letter: DeadLetter): void {
    this.#kept[this.#count % DEAD_LETTERS_KEPT_MAX] = letter;
    this.#count++;
    this.onLetter?.(letter);
    this.onInspect?.(letter);
  }

  recent(): readonly DeadLetter[] {
    const from = this.#count % DEAD_LETTERS_KEPT_MAX;
    if (this.#count <= DEAD_LETTERS_KEPT_MAX) return this.#kept.slice();
    return [...this.#kept.slice(from), ...this.#kept.slice(0, from)];
  }
}
