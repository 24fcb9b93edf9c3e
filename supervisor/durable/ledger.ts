/** What the durable actors of one tree share: the journal, and the commit that they make together. */
import type { Clock, TimerId } from '../../machines/kernel/clock.ts';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { Cell } from '../delivery/cell.ts';
import type { Defer } from '../ports.ts';
import { codedCause } from '../restart/exit-reason.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { DurableActor, writeOf } from './durable-actor.ts';
import type { Batch } from './durable-actor.ts';
import { journalError } from './errors.ts';
import type { Journal, JournalWrite } from './journal.ts';
import { damaged, readRecord } from './record.ts';
import type { DurableRecord, MachineTag } from './record.ts';
import { RESUME_FAILURES_MAX_DEFAULT } from './resume-options.ts';
import type { ResumeOptions } from './resume-options.ts';

/** What a ledger asks of its tree. */
export interface LedgerHost {
  /** The actor fails with an error that arose outside of its turn. */
  fail(cell: Cell, error: unknown): void;
  /** Runs what the actor has asked for, as if it ran in its turn. */
  run(cell: Cell, effect: () => void): void;
  /** An error that ends nobody. */
  stray(path: string, error: unknown): void;
  /** A record was set aside. */
  setAside(path: string, error: CodedError): void;
}

/** Everything that a tree's durable actors share; see the head of this file. */
export interface LedgerOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly defer: Defer;
  readonly host: LedgerHost;
}

/** A record to continue from, as text too: XState writes into the snapshot that it is given. */
export interface Resumable {
  readonly record: DurableRecord;
  readonly text: string;
}

/** Actors whose changes one turn of the event loop made are committed at the end of that turn. */
export class Ledger {
  readonly clock: Clock;
  readonly host: LedgerHost;
  readonly acknowledgements: Acknowledgements;
  readonly #journal: Journal;
  readonly #defer: Defer;
  readonly #actors = new Map<string, DurableActor>();
  readonly #changed = new Set<DurableActor>();
  /** Actors that may wait, with the timer that ends their wait and the events so far. */
  readonly #lazy = new Map<DurableActor, { readonly timer: TimerId; events: number }>();
  #isScheduled = false;
  #isClosed = false;

  constructor({ journal, clock, defer, host }: LedgerOptions) {
    this.#journal = journal;
    this.clock = clock;
    this.#defer = defer;
    this.host = host;
    this.acknowledgements = new Acknowledgements(clock);
  }

  /** The durable actor of a path; the same over restarts. */
  actorOf(path: string, options: ResumeOptions, tag: MachineTag): DurableActor {
    const known = this.#actors.get(path);
    if (known && known.options === options && known.tag.machine === tag.machine) return known;
    const actor = new DurableActor(this, path, options, tag);
    this.#actors.set(path, actor);
    return actor;
  }

  /**
   * What the actor continues from. A record that cannot be trusted is set aside, and then there is
   * none. Throws MESH_ERR_JOURNAL_UNAVAILABLE.
   */
  load(actor: DurableActor): Resumable | undefined {
    this.flush();
    const entry = this.#journal.load(actor.path);
    actor.ids.reset(entry?.isSound ? entry.ids : []);
    if (!entry) return undefined;
    if (!entry.isSound) return this.setAside(actor, damaged(actor.path, 'its checksum differs'));
    if (entry.record === null) return undefined;
    const record = readRecord(actor.path, entry.record, actor.tag);
    if (record instanceof CodedError) return this.setAside(actor, record);
    const failuresMax = actor.options.failuresMax ?? RESUME_FAILURES_MAX_DEFAULT;
    const failures = record.failures ?? 0;
    if (failures >= failuresMax)
      return this.setAside(actor, refused(actor.path, `it crashed ${failures} times over it`));
    return this.#migrated(actor, { record, text: entry.record });
  }

  #migrated(actor: DurableActor, { record, text }: Resumable): Resumable | undefined {
    const { migrate } = actor.options;
    if (!migrate || record.version === actor.tag.version) return { record, text };
    try {
      return { record: { ...record, snapshot: migrate(record.snapshot, record.version) }, text };
    } catch (cause) {
      return this.setAside(actor, refused(actor.path, 'it could not be migrated', cause));
    }
  }

  /** The record is kept for whoever wants to know, and the actor has none any more. */
  setAside(actor: DurableActor, error: CodedError): undefined {
    this.#journal.quarantine(actor.path, error.code, this.clock.now());
    actor.ids.reset([]);
    this.host.setAside(actor.path, error);
  }

  /** The machine could not start from its record. */
  refuse(actor: DurableActor, cause: unknown): void {
    this.setAside(actor, refused(actor.path, 'it could not be started from', cause));
  }

  /** The actor has something to commit; an urgent one waits for nothing but the group. */
  touch(actor: DurableActor, isUrgent: boolean): void {
    const { durability } = actor.options;
    if (isUrgent || durability === undefined || durability === 'every-transition') {
      this.#changed.add(actor);
      this.#schedule();
      return;
    }
    if (this.#changed.has(actor)) return;
    let lazy = this.#lazy.get(actor);
    if (!lazy) {
      const timer = this.clock.setTimeout(() => this.touch(actor, true), durability.everyMs);
      this.#lazy.set(actor, (lazy = { timer, events: 0 }));
    }
    if (++lazy.events >= durability.everyEvents) this.touch(actor, true);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#defer(this.flush);
  }

  /** Commits what has changed, all together, and lets out what waited for it. */
  readonly flush = (): void => {
    this.#isScheduled = false;
    if (this.#changed.size === 0) return;
    const batches: (readonly [DurableActor, Batch])[] = [];
    const writes: JournalWrite[] = [];
    for (const actor of this.#changed) {
      this.#unwait(actor);
      actor.seal();
      const batch = actor.take();
      batches.push([actor, batch]);
      const write = writeOf(actor.path, batch);
      if (write) writes.push(write);
    }
    this.#changed.clear();
    if (this.#commit(writes, batches)) this.#release(batches);
  };

  #commit(
    writes: readonly JournalWrite[],
    batches: readonly (readonly [DurableActor, Batch])[],
  ): boolean {
    try {
      if (writes.length > 0) this.#journal.commit(writes);
      return true;
    } catch (error) {
      for (const [actor, batch] of batches) actor.abandon(batch, error);
      return false;
    }
  }

  #release(batches: readonly (readonly [DurableActor, Batch])[]): void {
    for (const [, { receipts }] of batches)
      for (const { awaited, isDuplicate } of receipts) awaited.resolve({ isDuplicate });
    for (const [, { effects }] of batches)
      for (const { cell, run } of effects) this.#let(cell, run);
  }

  #let(cell: Cell, run: () => void): void {
    try {
      this.host.run(cell, run);
    } catch (error) {
      if (cell.exit) this.host.stray(cell.path, error);
      else this.host.fail(cell, error);
    }
  }

  #unwait(actor: DurableActor): void {
    const lazy = this.#lazy.get(actor);
    if (!lazy) return;
    this.clock.clearTimeout(lazy.timer);
    this.#lazy.delete(actor);
  }

  /** The child is gone for good, and with it what was kept of it. */
  forget(path: string): void {
    const actor = this.#actors.get(path);
    if (actor) {
      this.#unwait(actor);
      this.#changed.delete(actor);
      this.#release([[actor, actor.take()]]);
    }
    this.#actors.delete(path);
    try {
      this.#journal.forget(path);
    } catch (error) {
      this.host.stray(path, codedCause(path, error));
    }
  }

  /** The tree has ended: commits what is left, and tells those that still wait. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const actor of this.#lazy.keys()) this.touch(actor, true);
    this.flush();
    this.acknowledgements.close();
  }
}

const refused = (path: string, found: string, cause?: unknown): CodedError =>
  journalError(
    'MESH_ERR_JOURNAL_SNAPSHOT_REFUSED',
    `Continuing ${path} from its snapshot was given up: ${found}.`,
    { cause, details: { path, found } },
  );
