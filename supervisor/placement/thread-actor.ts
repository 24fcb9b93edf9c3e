/**
 * One incarnation of a child in a thread, seen from its tree: an XState actor that passes each event
 * on and shows the snapshots that come back. Paths, readiness, reports, watchers and dead letters
 * therefore work as for any other child. It is ended for good by ending its thread.
 */
import type { ActorLogic, AnyActorRef, AnyActorScope, EventObject, Snapshot } from 'xstate';
import type { Child } from '../child.ts';
import type { Cell } from '../delivery/cell.ts';
import { Fifo } from '../delivery/fifo.ts';
import { STOP_COMMAND } from '../delivery/mail.ts';
import { supervisorError } from '../errors.ts';
import type { ThreadFact, ThreadLink } from '../ports.ts';
import { STOP_SIGNAL } from '../xstate-shape.ts';
import { assertClonable } from './clonable.ts';
import { NOT_YET, mirrorOf, persistedOf } from './mirror.ts';
import type { ThreadPlace } from './thread-logic.ts';

/** Events that a thread may have before it: further ones are dead letters. */
export const THREAD_BACKLOG_MAX = 10_000;

/** What a thread told, as mail to the actor that stands for it; nobody else can make one. */
class Told implements EventObject {
  readonly type = 'xstate.thread';
  readonly fact: ThreadFact;
  constructor(fact: ThreadFact) {
    this.fact = fact;
  }
}

/** Whether the event is between a thread and the actor that stands for it, and nobody's mail. */
export const isTold = (event: EventObject): boolean => event instanceof Told;

/** See the head of this file. */
export class ThreadActor {
  readonly logic: ActorLogic<Snapshot<unknown>, EventObject>;
  readonly #child: Child;
  readonly #place: ThreadPlace;
  readonly #incarnation: number;
  #input: unknown;
  #snapshot: Snapshot<unknown> | undefined;
  #link: ThreadLink | undefined;
  /** Given to the thread, from the first that its actor has not begun to handle. */
  readonly #given = new Fifo<EventObject>();
  #givenCount = 0;
  #begunCount = 0;
  #outbox: EventObject[] = [];

  constructor(child: Child, place: ThreadPlace) {
    this.#child = child;
    this.#place = place;
    this.#incarnation = child.incarnation;
    this.logic = {
      getInitialSnapshot: (_scope, input) => {
        this.#input = input;
        return NOT_YET;
      },
      restoreSnapshot: (snapshot) => {
        this.#snapshot = snapshot;
        return NOT_YET;
      },
      getPersistedSnapshot: (mirror) => persistedOf(mirror) ?? mirror,
      start: (_snapshot, { self }) => this.#open(self),
      transition: (snapshot, event, scope) => this.#receive(snapshot, event, scope),
    };
  }

  /** Letters that the thread was given and has not begun to handle. */
  get backlog(): number {
    this.#trim();
    return this.#givenCount - this.#begunCount;
  }

  /** Mail that was given to the thread and that its actor never began to handle, oldest first. */
  takeUnhandled(): EventObject[] {
    this.#trim();
    const unhandled: EventObject[] = [];
    for (let event = this.#given.shift(); event; event = this.#given.shift()) unhandled.push(event);
    return unhandled;
  }

  #open(self: AnyActorRef): void {
    const { path, supervisor } = this.#child;
    const { threads } = supervisor.scope;
    if (!threads)
      throw supervisorError(
        'MESH_ERR_SUPERVISOR_THREADS_MISSING',
        `Starting ${path} in a thread, in a tree that has none.`,
        { details: { path } },
      );
    assertClonable('The input for', path, this.#input);
    const order = {
      path,
      incarnation: this.#incarnation,
      place: this.#place,
      input: this.#input,
      snapshot: this.#snapshot,
    };
    this.#link = threads.open(order, (fact) => this.#hear(fact, self));
  }

  /** What concerns the actor goes through the run queue; from itself, so that it ends with it. */
  #hear(fact: ThreadFact, self: AnyActorRef): void {
    const { scope } = this.#child.supervisor;
    const cell = this.#cellOf(self);
    switch (fact.type) {
      case 'mail.sent':
        scope.mail(fact.path, fact.event, self);
        return;
      case 'mail.lost':
        scope.letter(fact.path, fact.event, 'ended');
        return;
      case 'error.stray':
        scope.stray(fact.path, this.#incarnation, fact.error);
        return;
      case 'line.logged':
        scope.logger?.(fact.line);
        return;
      default:
        cell?.post(self, new Told(fact));
    }
  }

  /** While it is this incarnation's; a later one has another actor. */
  #cellOf(self: AnyActorRef): Cell | undefined {
    const { cell } = this.#child;
    return cell?.actor === self ? cell : undefined;
  }

  #receive(mirror: Snapshot<unknown>, event: EventObject, scope: AnyActorScope): Snapshot<unknown> {
    if (event instanceof Told) return this.#apply(mirror, event.fact, scope);
    if (event.type === STOP_SIGNAL.type) this.#link?.end();
    else if (event === STOP_COMMAND) {
      this.#flush();
      this.#link?.stop();
    } else this.#pass(event);
    return mirror;
  }

  #apply(mirror: Snapshot<unknown>, fact: ThreadFact, scope: AnyActorScope): Snapshot<unknown> {
    if (fact.type === 'thread.seen') return mirrorOf(fact.snapshot, mirror);
    if (fact.type === 'event.emitted') scope.emit(fact.event);
    if (fact.type !== 'thread.ended') return mirror;
    this.#link?.end();
    const { reason } = fact;
    const last = fact.snapshot ? mirrorOf(fact.snapshot, mirror) : mirror;
    if (reason.type === 'error')
      return { ...last, status: 'error', error: reason.cause } as Snapshot<unknown>;
    const output = reason.type === 'normal' ? reason.output : undefined;
    return { ...last, status: 'done', output } as Snapshot<unknown>;
  }

  #pass(event: EventObject): void {
    if (this.backlog >= THREAD_BACKLOG_MAX) {
      this.#child.supervisor.scope.letter(this.#child.path, event, 'mailbox_full');
      return;
    }
    this.#given.push(event);
    this.#givenCount++;
    this.#outbox.push(event);
    if (this.#outbox.length > 1) return;
    this.#child.supervisor.scope.queue.post({ run: () => (this.#flush(), 1) });
  }

  #flush(): void {
    const events = this.#outbox;
    if (events.length === 0) return;
    this.#outbox = [];
    this.#link?.post(events);
  }

  /** Forgets what the thread has begun to handle. */
  #trim(): void {
    const begun = this.#link?.begun ?? 0;
    for (; this.#begunCount < begun; this.#begunCount++) this.#given.shift();
  }
}
