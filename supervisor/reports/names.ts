/** Names are paths: who is behind one now, and who wants to know when that changes. */
import type { ExitReasonJson } from '../restart/exit-reason.ts';
import { Listeners } from './reports.ts';
import type { RunQueue } from '../delivery/run-queue.ts';
import type { Logger } from '../ports.ts';

/** A path went, or came back. */
export interface WatchEvent {
  readonly type: 'up' | 'down';
  readonly path: string;
  readonly incarnation: number;
  /** Why it went; only with `down`. */
  readonly reason?: ExitReasonJson;
}

/** The incarnation that was monitored is gone. */
export interface DownEvent {
  readonly path: string;
  /** 0 where there was none. */
  readonly incarnation: number;
  readonly reason: ExitReasonJson | { readonly type: 'noproc' };
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

  /** Tells once; of a path without an incarnation as soon as `queue` comes to it. */
  monitor(
    path: string,
    isAlive: boolean,
    queue: RunQueue,
    listener: (event: DownEvent) => void,
  ): () => void {
    if (isAlive) {
      const remove = this.add(path, ({ type, incarnation, reason }) => {
        if (type !== 'down' || !reason) return;
        remove();
        listener({ path, incarnation, reason });
      });
      return remove;
    }
    const noproc = new Listeners<DownEvent>(this.#logger);
    const remove = noproc.add(listener);
    const run = (): number => {
      noproc.emit({ path, incarnation: 0, reason: { type: 'noproc' } });
      return 1;
    };
    queue.post({ run });
    return remove;
  }

  emit(event: WatchEvent): void {
    this.#byPath.get(event.path)?.emit(event);
  }
}
