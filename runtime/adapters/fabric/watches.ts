import type { Unsubscribe } from '../../../actors/workload/ports/fabric.ts';
import type { Clock, TimerId } from '../../../machines/kernel/clock.ts';
import { fabricError } from '../../../machines/workload/fabric-errors.ts';
import { POLL_INTERVAL_MS, WATCHES_MAX } from './limits.ts';

/** What a write may have changed. */
export type Topic = 'plans' | 'apps' | 'assignments' | 'endpoints';

export const TOPICS: readonly Topic[] = ['plans', 'apps', 'assignments', 'endpoints'];

interface Watch {
  readonly topic: Topic;
  readonly key: string;
  readonly read: () => unknown;
  readonly listener: (state: unknown) => void;
  last: string;
}

/**
 * Turns of delivery within one commit. A listener that writes on every call would else hold the
 * event loop for ever; what is left then waits for the next look at the store.
 */
const PASSES_MAX = 100;

export interface WatchesOptions {
  readonly clock: Clock;
  readonly foreignCommits: () => number;
  readonly onListenerError: (error: unknown) => void;
}

/**
 * Who is told when the state has changed. A listener gets a whole state of its own, and only one
 * that differs from what it was given last; a listener that writes is not called within its call.
 */
export class Watches {
  readonly #options: WatchesOptions;
  readonly #watches = new Set<Watch>();
  readonly #dirty = new Set<Topic>();
  #isDelivering = false;
  #timer: TimerId;
  #seen = 0;

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /** Calls `listener` before it returns. */
  add<State>(
    topic: Topic,
    key: string,
    read: () => State,
    listener: (state: State) => void,
  ): Unsubscribe {
    if (this.#watches.size >= WATCHES_MAX)
      throw fabricError(
        'MESH_ERR_FABRIC_FULL',
        `Watching ${topic} of ${key || 'all'} was refused: there are ${WATCHES_MAX} watches.`,
      );
    if (this.#watches.size === 0) this.#startPolling();
    const last = JSON.stringify(read());
    const watch = { topic, key, read, listener: listener as Watch['listener'], last };
    this.#watches.add(watch);
    this.#call(watch);
    return () => {
      this.#watches.delete(watch);
      if (this.#watches.size === 0) this.#stopPolling();
    };
  }

  /** Tells those who watch one of `topics` and whose state is another now. */
  refresh(topics: Iterable<Topic>): void {
    for (const topic of topics) this.#dirty.add(topic);
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let pass = 0; pass < PASSES_MAX && this.#dirty.size > 0; pass++) this.#deliver();
    } finally {
      this.#isDelivering = false;
    }
  }

  clear(): void {
    this.#watches.clear();
    this.#stopPolling();
  }

  #deliver(): void {
    const dirty = new Set(this.#dirty);
    this.#dirty.clear();
    const states = new Map<string, string>();
    // A listener may end a watch, which is then not visited, or add one, which knows the state.
    for (const watch of this.#watches) {
      if (!dirty.has(watch.topic)) continue;
      const id = `${watch.topic} ${watch.key}`;
      const state = states.get(id) ?? JSON.stringify(watch.read());
      states.set(id, state);
      if (state === watch.last) continue;
      watch.last = state;
      this.#call(watch);
    }
  }

  #call(watch: Watch): void {
    try {
      watch.listener(JSON.parse(watch.last));
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    try {
      this.#options.onListenerError(error);
    } catch {
      // The reporter itself failed: there is nobody left to tell, and the others must be called.
    }
  }

  #startPolling(): void {
    this.#seen = this.#options.foreignCommits();
    this.#arm();
  }

  #arm(): void {
    this.#timer = this.#options.clock.setTimeout(() => this.#poll(), POLL_INTERVAL_MS);
  }

  #stopPolling(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    this.#arm();
    try {
      const now = this.#options.foreignCommits();
      const isForeign = now !== this.#seen;
      if (isForeign || this.#dirty.size > 0) this.refresh(isForeign ? TOPICS : []);
      // Only then: a refresh that failed is tried again.
      this.#seen = now;
    } catch (error) {
      this.#report(error);
    }
  }
}
