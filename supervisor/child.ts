/** One child of a supervisor over all its incarnations. */
import type { AnyActorRef, EventObject, Snapshot } from 'xstate';
import type { TimerId } from '../machines/kernel/clock.ts';
import type { Cell, CellOwner } from './delivery/cell.ts';
import { isSupervisorSpec, restartOf } from './child-spec.ts';
import type { AnyChildSpec, RestartType } from './child-spec.ts';
import type { DurableActor } from './durable/durable-actor.ts';
import type { Fifo } from './delivery/fifo.ts';
import { sendToChild } from './delivery/mail.ts';
import { mailboxOf } from './delivery/mailbox.ts';
import type { Mailbox } from './delivery/mailbox.ts';
import type { ThreadActor } from './placement/thread-actor.ts';
import type { ExitReason } from './restart/exit-reason.ts';
import type { Supervisor } from './supervisor.ts';

/** Where a child is in its life. */
export type ChildStatus =
  /** Created, not yet ready. */
  | 'starting'
  | 'running'
  /** Asked to stop. */
  | 'stopping'
  /** To be started again: its back-off runs, or its turn in a group has not come. */
  | 'restarting'
  /** Not running, and not going to; the spec is kept. */
  | 'stopped';

/** Answer of an operation on one child, when it is settled. */
export type ChildOutcome =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly cause: unknown }
  | { readonly type: 'ended' };

/** Incarnations count on when a supervisor restarts, so a path never has one number twice. */
export type Past = Map<string, PastChild>;

/** Where a static child had come to when its supervisor ended. */
export interface PastChild {
  readonly incarnation: number;
  readonly past: Past | undefined;
}

/** What its supervisor knows of it; its incarnations come and go, this stays until it is removed. */
export class Child implements CellOwner {
  readonly id: string;
  readonly supervisor: Supervisor;
  /** Changed through the table only, which counts. */
  spec: AnyChildSpec;
  /** Place in the start order. */
  readonly order: number;
  status: ChildStatus = 'stopped';
  /** The current incarnation of a worker. */
  cell: Cell | undefined = undefined;
  /** What passes its mail on, if the current incarnation is in a thread. */
  placed: ThreadActor | undefined = undefined;
  /** The current incarnation of a supervisor. */
  nested: Supervisor | undefined = undefined;
  incarnation: number;
  restarts = 0;
  /** Failures in a row, for the back-off. */
  attempt = 0;
  /** When its status was last set, wall-clock. */
  sinceMs = 0;
  /** When it last became ready, monotonic. */
  readyAtMs = 0;
  /** It has been ready since its last back-off. */
  hasBeenReady = false;
  /** Ended by itself, and the supervisor has not yet decided about it. */
  undecided: ExitReason | undefined = undefined;
  /** The one deadline it can have: of its start, its stop or its back-off. */
  timer: TimerId = undefined;
  /** Ends the look-out for readiness. */
  unsubscribe: (() => void) | undefined = undefined;
  /** Mail for the next incarnation. */
  held: Fifo<EventObject> | undefined = undefined;
  /** Bounds and counts its mail, if its spec says so. */
  readonly mailbox: Mailbox | undefined;
  /** Operations that wait for the outcome of a start or a stop. */
  waiters: ((outcome: ChildOutcome) => void)[] | undefined = undefined;
  /** Its first start came from an operation or from its supervisor's start, not from a restart. */
  isRestart = false;
  /** What keeps its state, if it is durable. */
  durable: DurableActor | undefined = undefined;
  /** Out of the table, for good. */
  isGone = false;

  /** Of a supervisor: how far its children's incarnations had counted when it last ended. */
  past: Past | undefined;

  constructor(
    supervisor: Supervisor,
    spec: AnyChildSpec,
    order: number,
    before: PastChild | undefined,
  ) {
    this.supervisor = supervisor;
    this.spec = spec;
    this.id = spec.id;
    this.order = order;
    this.incarnation = before?.incarnation ?? 0;
    this.past = before?.past;
    this.mailbox = isSupervisorSpec(spec) ? undefined : mailboxOf(spec);
  }

  get path(): string {
    return `${this.supervisor.path}/${this.id}`;
  }

  get restart(): RestartType {
    return restartOf(this.spec);
  }

  get isSupervisor(): boolean {
    return isSupervisorSpec(this.spec);
  }

  get isAlive(): boolean {
    return isAliveStatus(this.status);
  }

  get actor(): AnyActorRef | undefined {
    return this.cell?.actor;
  }

  get snapshot(): Snapshot<unknown> | undefined {
    const snapshot: unknown = this.nested ? this.nested.snapshot : this.actor?.getSnapshot();
    return snapshot as Snapshot<unknown> | undefined;
  }

  cellEnded(cell: Cell, reason: ExitReason): void {
    if (this.cell === cell) this.supervisor.childEnded(this, reason);
  }

  receive(event: EventObject, source: AnyActorRef | undefined): void {
    sendToChild(this, event, source);
  }

  settle(outcome: ChildOutcome): void {
    const { waiters } = this;
    if (!waiters) return;
    this.waiters = undefined;
    for (const waiter of waiters) waiter(outcome);
  }
}

/** Whether an incarnation exists. */
export const isAliveStatus = (status: ChildStatus): boolean =>
  status === 'starting' || status === 'running' || status === 'stopping';
