/**
 * Questions that wait for an answer. Each has an address of its own, a path that no child can have;
 * the asked actor gets it in `replyTo` and sends its answer there, as to any path. An address is plain
 * text: it survives a snapshot, and crosses to a thread.
 */
import type { EventObject } from 'xstate';
import type { Clock, TimerId } from '../../machines/kernel/clock.ts';
import { supervisorError } from '../errors.ts';

/** How long an answer may take unless the asker says otherwise, in milliseconds; as OTP's `call`. */
export const ASK_TIMEOUT_MS_DEFAULT = 5000;
/** Questions of one tree that may wait at once. */
export const ASKS_PENDING_MAX = 100_000;

/** An event as the asked actor gets it. */
export type Asked<Event extends EventObject> = Event & {
  /** Where the answer goes; absent when the event was only sent. */
  readonly replyTo?: string;
};

/** How to ask. */
export interface AskOptions {
  /** Default 5000; more than 0, and finite: every wait has an end. */
  readonly timeoutMs?: number;
}

interface Ask {
  readonly path: string;
  readonly type: string;
  readonly promise: PromiseWithResolvers<EventObject>;
  readonly timer: TimerId;
  /** The question lies in no actor's hands: it waits for the next incarnation. */
  isHeld: boolean;
}

/** The questions of one tree. */
export class Asks {
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #pending = new Map<string, Ask>();
  readonly #byPath = new Map<string, Set<string>>();
  #number = 0;

  /** Ids are never empty, so no child's path begins with `root//`. */
  constructor(root: string, clock: Clock) {
    this.#prefix = `${root}//`;
    this.#clock = clock;
  }

  /** How many wait. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Sends `event` with an address to answer to; see `Tree.ask` for how it can fail. */
  ask(
    path: string,
    event: EventObject,
    { timeoutMs = ASK_TIMEOUT_MS_DEFAULT }: AskOptions,
    send: (event: EventObject) => boolean,
  ): Promise<EventObject> {
    if (!(timeoutMs > 0) || timeoutMs === Infinity)
      throw failed('INVALID', path, event.type, `with a timeoutMs of ${timeoutMs}`);
    if (this.#pending.size >= ASKS_PENDING_MAX)
      throw failed(
        'UNREACHABLE',
        path,
        event.type,
        `and ${ASKS_PENDING_MAX} questions wait already`,
      );
    const replyTo = `${this.#prefix}${++this.#number}`;
    const promise = Promise.withResolvers<EventObject>();
    const timer = this.#clock.setTimeout(
      () => this.#fail(replyTo, 'TIMED_OUT', `and ${timeoutMs} ms passed without an answer`),
      timeoutMs,
    );
    this.#pending.set(replyTo, { path, type: event.type, promise, timer, isHeld: false });
    this.#index(path).add(replyTo);
    if (!send({ ...event, replyTo } as Asked<EventObject>))
      this.#fail(replyTo, 'UNREACHABLE', 'and nobody could take it');
    return promise.promise;
  }

  /** An answer has come; false if nobody waits for it, or not any more. */
  answer(replyTo: string, event: EventObject): boolean {
    const ask = this.#forget(replyTo);
    ask?.promise.resolve(event);
    return ask !== undefined;
  }

  /** Whether the path is, or was, the address of an answer. */
  isAddress(path: string): boolean {
    return path.startsWith(this.#prefix);
  }

  /** The event will reach nobody. */
  lost(event: EventObject): void {
    if (this.#pending.size > 0) this.#fail(replyToOf(event), 'UNREACHABLE', 'and it was lost');
  }

  /** The event waits for the next incarnation, or no longer does. */
  held(event: EventObject, isHeld: boolean): void {
    const ask = this.#pending.size > 0 && this.#pending.get(replyToOf(event));
    if (ask) ask.isHeld = isHeld;
  }

  /** An incarnation of `path` has ended: it will not answer what it had begun to handle. */
  ended(path: string): void {
    if (this.#pending.size === 0) return;
    for (const replyTo of this.#byPath.get(path) ?? [])
      if (this.#pending.get(replyTo)?.isHeld === false)
        this.#fail(replyTo, 'UNANSWERED', 'and the actor ended before it answered');
  }

  #fail(replyTo: string, reason: FailedBy, found: string): void {
    const ask = this.#forget(replyTo);
    ask?.promise.reject(failed(reason, ask.path, ask.type, found));
  }

  #index(path: string): Set<string> {
    let asked = this.#byPath.get(path);
    if (!asked) this.#byPath.set(path, (asked = new Set()));
    return asked;
  }

  #forget(replyTo: string): Ask | undefined {
    const ask = this.#pending.get(replyTo);
    if (!ask) return undefined;
    this.#pending.delete(replyTo);
    this.#clock.clearTimeout(ask.timer);
    const asked = this.#byPath.get(ask.path);
    asked?.delete(replyTo);
    if (asked?.size === 0) this.#byPath.delete(ask.path);
    return ask;
  }
}

const CODES = {
  INVALID: 'MESH_ERR_SUPERVISOR_ASK_INVALID',
  UNREACHABLE: 'MESH_ERR_SUPERVISOR_ASK_UNREACHABLE',
  UNANSWERED: 'MESH_ERR_SUPERVISOR_ASK_UNANSWERED',
  TIMED_OUT: 'MESH_ERR_SUPERVISOR_ASK_TIMED_OUT',
} as const;
type FailedBy = keyof typeof CODES;

const failed = (by: FailedBy, path: string, type: string, found: string): Error =>
  supervisorError(CODES[by], `${path} was asked ${type} ${found}.`, { details: { path, type } });

function replyToOf(event: EventObject): string {
  const { replyTo } = event as Asked<EventObject>;
  return typeof replyTo === 'string' ? replyTo : '';
}
