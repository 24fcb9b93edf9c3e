import type { ErrorJson } from '../../../machines/kernel/coded-error.ts';
import type { Json } from '../ui/wire.types.ts';
import type { Question } from './link.types.ts';

/** A main thread that takes longer is busy; the page shows what it has. */
const ANSWER_TIMEOUT_MS = 15_000;
/** Questions under way; more come from no page. */
const QUESTIONS_MAX = 64;

/** `busy` when none comes in time; without a body where nothing is there; or what went wrong. */
export type Answer =
  | { readonly type: 'busy' }
  | { readonly type: 'error'; readonly error: ErrorJson }
  | { readonly type: 'body'; readonly body: Json | undefined };

const BUSY: Answer = { type: 'busy' };

/** What is asked of the main thread and not answered yet. */
export class Questions {
  readonly #tell: (id: number, question: Question) => void;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #next = 1;

  constructor(tell: (id: number, question: Question) => void) {
    this.#tell = tell;
  }

  async ask(question: Question): Promise<Answer> {
    if (this.#waiting.size >= QUESTIONS_MAX) return BUSY;
    const id = this.#next++;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    const timer = setTimeout(() => resolve(BUSY), ANSWER_TIMEOUT_MS).unref();
    this.#tell(id, question);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  answer(id: number, answer: Answer): void {
    this.#waiting.get(id)?.(answer);
  }
}
