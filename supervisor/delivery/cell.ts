/**
 * One incarnation of an actor: its mail, its timers and what it owns. A restart makes a new cell, so
 * nothing that was meant for a dead incarnation can reach its successor.
 */
import type { AnyActorRef, EventObject } from 'xstate';
import type { TimerId } from '../../machines/kernel/clock.ts';
import type { ExitReason } from '../restart/exit-reason.ts';
import type { Lane } from './run-queue.ts';

/** A letter that waits. */
export interface Letter {
  readonly source: AnyActorRef | undefined;
  readonly event: EventObject;
  next: Letter | undefined;
}

/** Whoever supervises a cell: gets its end, once. */
export interface CellOwner {
  readonly path: string;
  /** Set while the cell's actor only stands for one in a thread. */
  readonly placed?: object | undefined;
  /** The cell ended by itself; called from the run queue, never on the actor's stack. */
  cellEnded(cell: Cell, reason: ExitReason): void;
  /** Mail of another actor for a cell whose mailbox is bounded. */
  receive?(event: EventObject, source: AnyActorRef | undefined): void;
}

/** How a cell hands a letter to its actor; the adapter's side. */
export interface CellHost {
  turn(cell: Cell, quantum: number): number;
  schedule(cell: Cell): void;
}

/** What a durable actor's cells tell, and whom they hand their effects; see `durable/`. */
export interface CellDurability {
  /** Effects wait for the commit of the turn that asked for them. */
  readonly holdsEffects: boolean;
  hold(cell: Cell, run: () => void): void;
  /** A letter is to be handled: `deliver` does it, unless there is a reason not to. */
  handle(cell: Cell, source: Cell | undefined, event: EventObject, deliver: () => void): void;
  /** The actor is failing; its timers and what it owns are still there. */
  crashing(cell: Cell): void;
  /** Something changed outside of a turn. */
  changed(): void;
  readonly deadlines: {
    set(
      cell: Cell,
      id: string | undefined,
      delayMs: number,
      event: EventObject,
      target: unknown,
    ): void;
    clear(cell: Cell, id: string): void;
    clearAll(cell: Cell): void;
  };
}

/** See the head of this file. */
export class Cell implements Lane {
  readonly host: CellHost;
  /** The supervised child; a machine's own child has the cell of its machine as `keeper`. */
  readonly owner: CellOwner | undefined;
  readonly keeper: Cell | undefined;
  readonly incarnation: number;
  /** Set as soon as the actor exists. */
  actor: AnyActorRef | undefined;
  /** Set once, when it has ended. */
  exit: ExitReason | undefined;
  /** Actors that this one's machine spawned or invoked and that have not ended. */
  owned: Set<AnyActorRef> | undefined;
  timers: Map<string, TimerId> | undefined;
  /** Of a durable actor, and of all that its machine owns. */
  durability: CellDurability | undefined;
  /** Its mailbox is bounded: mail of others goes through its owner. */
  isGuarded = false;
  /** Letters that wait. */
  size = 0;
  #head: Letter | undefined;
  #tail: Letter | undefined;
  #isQueued = false;

  constructor(
    host: CellHost,
    owner: CellOwner | undefined,
    keeper: Cell | undefined,
    incarnation: number,
  ) {
    this.host = host;
    this.owner = owner;
    this.keeper = keeper;
    this.incarnation = incarnation;
    this.actor = undefined;
    this.exit = undefined;
    this.owned = undefined;
    this.timers = undefined;
    this.durability = keeper?.durability;
  }

  /** Where it is in the tree; a machine's own children follow their machine. */
  get path(): string {
    if (this.owner) return this.owner.path;
    return `${this.keeper?.path ?? ''}/${this.actor?.id ?? ''}`;
  }

  /** The cell of the supervised child that it is a part of. */
  get top(): Cell {
    return this.keeper ? this.keeper.top : this;
  }

  get hasMail(): boolean {
    this.#isQueued = this.#head !== undefined;
    return this.#isQueued;
  }

  post(source: AnyActorRef | undefined, event: EventObject): void {
    const letter: Letter = { source, event, next: undefined };
    this.size++;
    if (this.#tail) this.#tail.next = letter;
    else this.#head = letter;
    this.#tail = letter;
    if (this.#isQueued) return;
    this.#isQueued = true;
    this.host.schedule(this);
  }

  /** Takes the oldest letter. */
  take(): Letter | undefined {
    const letter = this.#head;
    if (!letter) return undefined;
    this.size--;
    this.#head = letter.next;
    if (!this.#head) this.#tail = undefined;
    return letter;
  }

  /** Takes out the oldest letter for which `mayGo` holds. */
  remove(mayGo: (letter: Letter) => boolean): Letter | undefined {
    let before: Letter | undefined;
    for (let letter = this.#head; letter; before = letter, letter = letter.next) {
      if (!mayGo(letter)) continue;
      if (!before) return this.take();
      this.size--;
      before.next = letter.next;
      if (this.#tail === letter) this.#tail = before;
      return letter;
    }
    return undefined;
  }

  /** The letters that wait, oldest first. */
  *unread(): Generator<Letter> {
    for (let letter = this.#head; letter; letter = letter.next) yield letter;
  }

  turn(quantum: number): number {
    return this.host.turn(this, quantum);
  }
}
