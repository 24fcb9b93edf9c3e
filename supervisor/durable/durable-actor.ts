/**
 * One durable actor over all its incarnations: what it has done since its last commit, and what
 * waits for the next one. State first, then the world: a transition's effects are held, its snapshot
 * is committed, and only then are events acknowledged and effects let out. So the program may die at
 * any point: what anybody has seen of the actor is on disk.
 */
import type { EventObject, Snapshot } from 'xstate';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { Cell, CellDurability } from '../delivery/cell.ts';
import { STOP_COMMAND } from '../delivery/mail.ts';
import { NOT_YET } from '../placement/mirror.ts';
import { codedCause } from '../restart/exit-reason.ts';
import type { ExitReason } from '../restart/exit-reason.ts';
import { RESUME_COMMAND, hasState, stateOf } from '../xstate-durable.ts';
import type { Awaited } from './acknowledgements.ts';
import { Deadlines } from './deadlines.ts';
import { journalError } from './errors.ts';
import { IdWindow } from './id-window.ts';
import { RECORD_CHARS_MAX } from './journal.ts';
import type { JournalWrite } from './journal.ts';
import type { Ledger } from './ledger.ts';
import { toPlainJson } from './plain-json.ts';
import { RECORD_FORMAT } from './record.ts';
import type { DurableRecord, MachineTag } from './record.ts';
import { RESUME_SETTLED_MS } from './resume-options.ts';
import type { ResumeOptions } from './resume-options.ts';

/** An effect, and the actor that fails if it throws. */
export interface HeldEffect {
  readonly cell: Cell;
  readonly run: () => void;
}

/** What one commit settles for one actor. */
export interface Batch {
  readonly receipts: { readonly awaited: Awaited; readonly isDuplicate: boolean }[];
  readonly effects: HeldEffect[];
  readonly ids: string[];
  /** Undefined where nothing is to be written: the record stays as it is. */
  record: string | null | undefined;
}

const emptyBatch = (): Batch => ({ receipts: [], effects: [], ids: [], record: undefined });

/** See the head of this file. */
export class DurableActor implements CellDurability {
  readonly path: string;
  readonly holdsEffects: boolean;
  readonly options: ResumeOptions;
  readonly tag: MachineTag;
  readonly deadlines: Deadlines;
  readonly ids = new IdWindow();
  readonly #ledger: Ledger;
  #cell: Cell | undefined;
  /** Since the state was last sealed. */
  #open = emptyBatch();
  /** Sealed and not yet committed. */
  #sealed = emptyBatch();
  #isChanged = false;
  #isInTurn = false;
  #isLeaving = false;
  #hasHeard = false;
  #resumedFrom: string | undefined;
  #startedAtMs = 0;
  #failures = 0;
  /** Effects that were held before the present turn. */
  #mark = 0;
  /** What the present turn handles, where it is mail of its own family: a crash does not consume it. */
  #inner: EventObject | undefined;

  constructor(ledger: Ledger, path: string, options: ResumeOptions, tag: MachineTag) {
    this.#ledger = ledger;
    this.path = path;
    this.options = options;
    this.tag = tag;
    this.holdsEffects = (options.durability ?? 'every-transition') === 'every-transition';
    this.deadlines = new Deadlines(ledger.clock);
  }

  /** The next incarnation is about to be made, from that record or fresh. */
  begin(resumed: { readonly text: string; readonly failures: number } | undefined): void {
    this.#cell = undefined;
    this.#isLeaving = false;
    this.#hasHeard = false;
    this.#isChanged = false;
    this.#resumedFrom = resumed?.text;
    this.#failures = resumed?.failures ?? 0;
    this.#startedAtMs = this.#ledger.clock.monotonicNow();
  }

  /** The incarnation exists; its first snapshot is looked at now, and committed with the next. */
  attach(cell: Cell): void {
    this.#cell = cell;
    if (cell.exit?.type === 'error') {
      this.#open = emptyBatch();
      return;
    }
    // What it continues from is on disk already.
    this.#isChanged = this.#resumedFrom === undefined;
    this.seal();
    this.#ledger.touch(this, false);
  }

  handle(cell: Cell, source: Cell | undefined, event: EventObject, deliver: () => void): void {
    // A machine's mail to its own child is part of the turn that sends it.
    if (this.#isInTurn) deliver();
    else if (this.#isNews(event)) {
      if (event === STOP_COMMAND && cell === this.#cell) this.leave();
      const deadline = source && this.deadlines.of(source, event);
      this.#mark = this.#open.effects.length;
      this.#inner = source && cell === this.#cell && !deadline ? event : undefined;
      this.#isInTurn = true;
      try {
        deliver();
      } finally {
        this.#isInTurn = false;
        this.#inner = undefined;
      }
      deadline?.();
      this.#handled(cell, source, event);
    }
  }

  /** False for what needs no turn: an id that was applied before, or an event for one that leaves. */
  #isNews(event: EventObject): boolean {
    const { acknowledgements } = this.#ledger;
    const awaited = acknowledgements.get(event);
    if (!awaited) return true;
    if (this.#isLeaving) {
      acknowledgements.refuse(event, 'stopping');
      return false;
    }
    if (awaited.id === undefined || !this.ids.has(awaited.id)) return true;
    acknowledgements.take(event);
    this.#open.receipts.push({ awaited, isDuplicate: true });
    this.#ledger.touch(this, true);
    return false;
  }

  #handled(cell: Cell, source: Cell | undefined, event: EventObject): void {
    const awaited = this.#ledger.acknowledgements.take(event);
    const exit = this.#cell?.exit;
    if (exit?.type === 'error') {
      this.#open.effects.length = 0;
      awaited?.reject(codedCause(this.path, exit.cause));
      return;
    }
    if (hasState(cell)) this.#isChanged = true;
    if (source === undefined && event !== RESUME_COMMAND) this.#hasHeard = true;
    if (awaited) {
      if (awaited.id !== undefined) {
        this.ids.add(awaited.id);
        this.#open.ids.push(awaited.id);
      }
      this.#open.receipts.push({ awaited, isDuplicate: false });
    }
    this.#ledger.touch(this, awaited !== undefined);
  }

  hold(cell: Cell, run: () => void): void {
    this.#open.effects.push({ cell, run });
    if (!this.#isInTurn) this.#ledger.touch(this, false);
  }

  changed(): void {
    if (this.#isInTurn || !this.#cell) return;
    this.#isChanged = true;
    this.#ledger.touch(this, false);
  }

  /** It is failing: the state before what made it fail is its last. */
  crashing(cell: Cell): void {
    if (cell !== this.#cell) return;
    // What the failed turn had asked for is never done.
    if (this.#isInTurn) this.#open.effects.splice(this.#mark);
    this.seal();
  }

  /** It is being stopped: what it does from now on is no state to continue from. */
  leave(): void {
    this.seal();
    this.#isLeaving = true;
  }

  /** Takes down the present state, so that the next commit writes it. */
  seal(): void {
    const { receipts, effects, ids } = this.#open;
    const isChanged = this.#isChanged && !this.#isLeaving;
    this.#open = emptyBatch();
    // First, because giving up makes it crash, and a crash seals.
    this.#isChanged = false;
    try {
      if (isChanged) this.#sealed.record = this.#record();
    } catch (error) {
      this.#abandon({ receipts, effects, ids, record: undefined }, error);
      return;
    }
    this.#sealed.receipts.push(...receipts);
    this.#sealed.effects.push(...effects);
    this.#sealed.ids.push(...ids);
  }

  #record(): string | null | undefined {
    const cell = this.#cell;
    const snapshot = cell?.actor?.getSnapshot() as Snapshot<unknown> | undefined;
    const status = snapshot?.status;
    const isTold = status !== undefined && status !== 'stopped' && snapshot !== NOT_YET;
    if (!cell || !isTold) return this.#sealed.record;
    if (status === 'done') return null;
    if (this.#hasHeard) this.#failures = 0;
    const { clock } = this.#ledger;
    const { machine, version } = this.tag;
    const { actorIds, ...state } = stateOf(
      cell,
      this.path,
      this.deadlines,
      clock.now(),
      this.#inner,
    );
    const record: DurableRecord = {
      format: RECORD_FORMAT,
      machine,
      ...(version === undefined ? {} : { version }),
      savedAtMs: clock.now(),
      ...state,
      ...(this.#failures === 0 ? {} : { failures: this.#failures }),
    };
    const text = toPlainJson(this.path, record, actorIds);
    if (text.length > RECORD_CHARS_MAX) throw tooLarge(this.path, text.length);
    return text;
  }

  /** What is sealed, for a commit. */
  take(): Batch {
    const batch = this.#sealed;
    this.#sealed = emptyBatch();
    return batch;
  }

  /** The batch cannot be written: nothing of it has happened, and whoever waits is told. */
  abandon(batch: Batch, error: unknown): void {
    this.#abandon(batch, error);
  }

  #abandon({ receipts, ids }: Batch, error: unknown): void {
    this.ids.remove(ids);
    const coded = error instanceof CodedError ? error : codedCause(this.path, error);
    for (const { awaited } of receipts) awaited.reject(coded);
    const cell = this.#cell;
    if (!cell || cell.exit || this.#isLeaving) this.#ledger.host.stray(this.path, coded);
    else this.#ledger.host.fail(cell, coded);
  }

  /** The incarnation has ended. Counts crashes right after continuing, in the record itself. */
  ended(reason: ExitReason): void {
    this.seal();
    const text = this.#sealed.record ?? this.#resumedFrom;
    const wasResumed = this.#resumedFrom !== undefined;
    this.#cell = undefined;
    this.#resumedFrom = undefined;
    if (!wasResumed || reason.type !== 'error' || this.#hasHeard || !text) return;
    const isSettled = this.#ledger.clock.monotonicNow() - this.#startedAtMs >= RESUME_SETTLED_MS;
    const failures = isSettled ? 0 : this.#failures + 1;
    this.#sealed.record = JSON.stringify({ ...(JSON.parse(text) as object), failures });
    this.#ledger.touch(this, true);
  }
}

/** As the journal gets it; undefined when a batch writes nothing. */
export function writeOf(path: string, batch: Batch): JournalWrite | undefined {
  const { record, ids } = batch;
  return record === undefined ? undefined : { path, record, ids };
}

const tooLarge = (path: string, found: number): Error =>
  journalError(
    'MESH_ERR_JOURNAL_SNAPSHOT_TOO_LARGE',
    `The snapshot of ${path} takes ${found} characters; at most ${RECORD_CHARS_MAX} are kept.`,
    { details: { path, found, max: RECORD_CHARS_MAX } },
  );
