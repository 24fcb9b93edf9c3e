/**
 * Where a Coordinator keeps its state in memory, outside of every actor: an actor that is restarted
 * finds it as it was. Reading and swapping are synchronous, so there is never half a state.
 *
 * The guard decides and publishes what requests get. Towards refusing, the cell does not wait for
 * it: a state that was seen to be superseded is not given out, whatever was published before.
 */
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import type { CodedError } from '../../machines/kernel/coded-error.ts';
import type {
  GuardStatus,
  GuardView,
  StateguardFact,
  StateSummary,
} from '../../machines/coordinator/stateguard.machine.ts';
import { isSameRecord } from '../../machines/coordinator/transition.ts';
import type { LatestRecord } from '../../machines/coordinator/transition.ts';
import { summaryOf } from './coordinator-state.ts';
import type { CoordinatorState } from './coordinator-state.ts';

/** What was last published by the guard. */
export interface PublishedStatus {
  readonly status: GuardStatus;
  readonly held: StateSummary | null;
}

const REFUSALS: Readonly<Record<Exclude<GuardStatus, 'ready'>, () => CodedError>> = {
  empty: () =>
    coordinatorError('MESH_ERR_COORDINATOR_NO_MANIFEST', 'Serving a request: no manifest is set.'),
  recovering: () => needsRecovery('it was restarted and has no state in memory'),
  stale: () => needsRecovery('its state is older than the history'),
  storeUnavailable: () =>
    coordinatorError(
      'MESH_ERR_COORDINATOR_STORE_UNAVAILABLE',
      'Serving a request: the history cannot be read.',
    ),
};

const needsRecovery = (found: string): CodedError =>
  coordinatorError('MESH_ERR_COORDINATOR_NEEDS_RECOVERY', `Serving a request: ${found}.`);

interface Pending {
  readonly base: CoordinatorState | null;
  readonly next: CoordinatorState;
}

/** Attempts whose answer was lost that are remembered; each repetition looks at the history first. */
const PENDING_MAX = 8;

export class StateCell {
  #state: CoordinatorState | null = null;
  /** Made and not yet known to be the latest: adopted as soon as the history says so. */
  #pending: readonly Pending[] = [];
  /** `undefined` until the history was read once. */
  #observed: LatestRecord | null | undefined;
  #published: PublishedStatus = { status: 'storeUnavailable', held: null };
  readonly #factListeners = new Set<(fact: StateguardFact) => void>();
  readonly #statusListeners = new Set<(published: PublishedStatus) => void>();

  /** What is in memory, whatever the guard says of it. */
  get held(): CoordinatorState | null {
    return this.#state;
  }

  get published(): PublishedStatus {
    return this.#published;
  }

  /** Both sides at this moment. */
  view(): GuardView {
    return {
      held: this.#state && summaryOf(this.#state),
      isStored: (this.#observed ?? null) !== null,
      isSuperseded: this.#isSuperseded(),
    };
  }

  /** The history's latest record when it was last read; `undefined` before the first time. */
  get observed(): LatestRecord | null | undefined {
    return this.#observed;
  }

  /**
   * The state for one request. Throws MESH_ERR_COORDINATOR_NO_MANIFEST, _NEEDS_RECOVERY or
   * _STORE_UNAVAILABLE.
   */
  take(): CoordinatorState {
    const { status, held } = this.#published;
    if (status !== 'ready') throw REFUSALS[status]();
    const state = this.#state;
    if (state === null || this.#isSuperseded()) throw REFUSALS.stale();
    if (held?.transition !== state.record.transition) throw REFUSALS.recovering();
    return state;
  }

  /** What the history's latest record was found to be. */
  observe(record: LatestRecord | null): void {
    this.#observed = record;
    const pending = this.#pending.find(({ next }) => isSameRecord(record, next.record));
    if (pending && this.swap(pending.base, pending.next)) return;
    this.#tell({ type: 'history.observed', view: this.view() });
  }

  /** The history could not be read. */
  fail(message: string): void {
    this.#tell({ type: 'history.failed', message });
  }

  /**
   * Announces what a compare-and-swap is about to make the latest: if its answer is lost, the state
   * is adopted when the history shows it.
   */
  prepare(base: CoordinatorState | null, next: CoordinatorState): void {
    this.#pending = [...this.#pending, { base, next }].slice(-PENDING_MAX);
  }

  /** Whether an announced state may yet turn out to be the latest. */
  get isPending(): boolean {
    return this.#pending.length > 0;
  }

  /** The announced state lost. */
  forget(next: CoordinatorState): void {
    this.#pending = this.#pending.filter((one) => one.next !== next);
  }

  /** Replaces the whole state if it still is `expected`; false when it is another one. */
  swap(expected: CoordinatorState | null, next: CoordinatorState): boolean {
    if (this.#state === next) return true;
    if (this.#state !== expected) return false;
    this.#state = next;
    this.#pending = [];
    // What else was observed and is unknown to the new state is newer than it, and supersedes it.
    this.#observed ??= next.record;
    this.#tell({ type: 'state.swapped', view: this.view() });
    return true;
  }

  /** By the guard only. */
  publish(published: PublishedStatus): void {
    this.#published = published;
    for (const listener of this.#statusListeners) listener(published);
  }

  /** Tells the guard what happens. A listener must not throw. */
  onFact(listener: (fact: StateguardFact) => void): () => void {
    this.#factListeners.add(listener);
    return () => this.#factListeners.delete(listener);
  }

  /** Tells what requests get from now on. A listener must not throw. */
  onStatus(listener: (published: PublishedStatus) => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  toJSON(): PublishedStatus {
    return this.#published;
  }

  #isSuperseded(): boolean {
    const latest = this.#observed ?? null;
    if (this.#state === null || latest === null) return latest !== null;
    // The same transition under another signature is another seed's: not ours to call current.
    if (latest.transition === this.#state.record.transition)
      return !isSameRecord(latest, this.#state.record);
    return !this.#state.ancestors.has(latest.transition);
  }

  #tell(fact: StateguardFact): void {
    for (const listener of this.#factListeners) listener(fact);
  }
}
