/** Names are paths: who is behind one now, and who wants to know when that changes. */
import type { ExitReasonJson } from '../restart/exit-reason.ts';
import { Listeners } from './reports.ts';
import type { Logger } from '../ports.ts';

/** A path went, or came back. */
export interface WatchEvent {
  readonly type: 'up' | 'down';
  readonly path: string;
  readonly incarnation: number;
  /** Why it went; only with `down`. */
  readonly reason?: ExitReasonJson;
}

/** Who wants to know about which path. */
export class Watchers {
  readonly #byPath = new Map<string, Listeners<WatchEvent>>();
  readonly #logger: Logger | undefined;

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  /** Nobody watches anything. */
  get isEmpty(): boolean {
    return this.#byPath.size === 0;
  }

  has(path: string): boolean {
    return this.#byPath.has(path);
  }

  add(path: string, listener: (event: WatchEvent) => void): () => void {
    let listeners = this.#byPath.get(path);
    if (!listeners) this.#byPath.set(path, (listeners = new Listeners(this.#logger)));
    const remove = listeners.add(listener);
    return () => {
      remove();
      if (listeners.isEmpty && this.#byPath.get(path) === listeners) this.#byPath.delete(path);
    };
  }

  emit(event: WatchEvent): void {
    this.#byPath.get(event.path)?.emit(event);
  }
}
