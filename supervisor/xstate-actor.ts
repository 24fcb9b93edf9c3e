/**
 * An XState actor without what an idle machine does not use. XState's constructor makes two
 * collections, five closures, a scope and a set of options for each actor, three quarters of its
 * heap; this makes them when they are first asked for. All methods are those of XState's `Actor`.
 */
import { Actor } from 'xstate';
import type { AnyActorLogic, AnyActorRef, EventObject, Snapshot } from 'xstate';
import { sharedStartOf } from './plans/planned-machine.ts';
import { CELL, RUNNING } from './xstate-shape.ts';
import type { ParentPort, SystemInternals } from './xstate-shape.ts';
import type { Cell } from './delivery/cell.ts';

/** What a supervised actor is made from. */
export interface LeanOptions {
  readonly id: string;
  readonly parent: ParentPort;
  readonly input: unknown;
  readonly snapshot: Snapshot<unknown> | undefined;
}

interface Executable {
  readonly type: string;
  readonly params: unknown;
  readonly info: unknown;
  readonly exec?: ((info: unknown, params: unknown) => void) | undefined;
}

type Handler = (event: EventObject) => void;
type System = SystemInternals & {
  readonly _clock: unknown;
  readonly _logger: unknown;
  _bookId(): string;
};

const NO_OBSERVERS: ReadonlySet<unknown> = new Set();
const NO_LISTENERS: ReadonlyMap<string, Set<Handler>> = new Map();
/** XState takes from it, and only `defer` puts into it. */
const NO_TASKS: (() => void)[] = [];

/** Makes the actor of a machine that has plans; it is not started. */
export const createLeanActor = (logic: AnyActorLogic, options: LeanOptions): AnyActorRef =>
  new LeanActor(logic, options) as unknown as AnyActorRef;

/** Calls a method of XState's own. */
const inherited = Actor.prototype as unknown as {
  subscribe(this: LeanActor, ...args: readonly unknown[]): unknown;
  on(this: LeanActor, ...args: readonly unknown[]): unknown;
  send(this: LeanActor, event: EventObject): void;
  _process(this: LeanActor, event: EventObject): void;
  _initState(this: LeanActor, snapshot: Snapshot<unknown> | undefined): void;
};

/** What an actor has come to use. */
interface Used {
  observers: Set<unknown> | undefined;
  listeners: Map<string, Set<Handler>> | undefined;
  tasks: (() => void)[] | undefined;
  scope: object | undefined;
}

const usedOf = (actor: LeanActor): Used =>
  (actor.used ??= {
    observers: undefined,
    listeners: undefined,
    tasks: undefined,
    scope: undefined,
  });

class LeanActor {
  logic: AnyActorLogic;
  readonly id: string;
  readonly sessionId: string;
  readonly _parent: ParentPort;
  readonly input: unknown;
  _snapshot: Snapshot<unknown> | undefined = undefined;
  _processingStatus = 0;
  mailbox: LeanMailbox;
  [CELL]: Cell | undefined = undefined;
  used: Used | undefined = undefined;

  constructor(logic: AnyActorLogic, { id, parent, input, snapshot }: LeanOptions) {
    const system = parent.system as System;
    this.logic = logic;
    this.id = id;
    this._parent = parent;
    this.input = input;
    this.mailbox = new LeanMailbox(this);
    this.sessionId = system._bookId();
    system._sendInspectionEvent({ type: '@xstate.actor', actorRef: this } as never);
    this._initState(snapshot);
  }

  get system(): System {
    return this._parent.system as System;
  }

  get clock(): unknown {
    return this.system._clock;
  }

  get logger(): unknown {
    return this.system._logger;
  }

  get ref(): this {
    return this;
  }

  /** What the logic was before it got plans. */
  get src(): unknown {
    return Object.getPrototypeOf(this.logic);
  }

  get options(): object {
    const { id, _parent: parent, input, clock, logger } = this;
    return { clock, logger, devTools: false, id, parent, input };
  }

  get observers(): ReadonlySet<unknown> {
    return this.used?.observers ?? NO_OBSERVERS;
  }

  get eventListeners(): ReadonlyMap<string, Set<Handler>> {
    return this.used?.listeners ?? NO_LISTENERS;
  }

  get _deferred(): (() => void)[] {
    return this.used?.tasks ?? NO_TASKS;
  }

  /** Bound, as XState's is, to the actor that it is first read from. */
  get send(): (event: EventObject) => void {
    const send = inherited.send.bind(this);
    Object.defineProperty(this, 'send', { value: send, writable: true, configurable: true });
    return send;
  }

  /** Between its first snapshot and its first event an actor that shares its start needs none. */
  get _actorScope(): object | undefined {
    if (this.used?.scope) return this.used.scope;
    const isStarting = !this.mailbox._active && this._snapshot !== undefined;
    if (isStarting && this._snapshot === sharedStartOf(this.logic)) return undefined;
    return (usedOf(this).scope = scopeOf(this));
  }

  subscribe(...args: readonly unknown[]): unknown {
    usedOf(this).observers ??= new Set();
    return inherited.subscribe.call(this, ...args);
  }

  on(...args: readonly unknown[]): unknown {
    usedOf(this).listeners ??= new Map();
    return inherited.on.call(this, ...args);
  }

  _initState(snapshot: Snapshot<unknown> | undefined): void {
    const shared = snapshot ? undefined : sharedStartOf(this.logic);
    if (shared) this._snapshot = shared;
    else inherited._initState.call(this, snapshot);
  }
}

Object.setPrototypeOf(LeanActor.prototype, Actor.prototype);

/** What XState's constructor gives an actor's logic. */
function scopeOf(actor: LeanActor): object {
  const { id, sessionId, logger, system } = actor;
  const defer = (task: () => void): void => void (usedOf(actor).tasks ??= []).push(task);
  return {
    self: actor,
    id,
    sessionId,
    logger,
    defer,
    system,
    stopChild: (child: { id: string; _parent: unknown; _stop(): void }) => {
      if (child._parent !== actor)
        // oxlint-disable-next-line unicorn/prefer-type-error -- XState's own error, word for word
        throw new Error(`Cannot stop child actor ${child.id} of ${id} because it is not a child`);
      child._stop();
    },
    emit: (event: EventObject) => emit(actor.eventListeners, event),
    actionExecutor: (action: Executable) => {
      if (actor._processingStatus === RUNNING) execute(actor, action);
      else defer(() => execute(actor, action));
    },
  };
}

function execute(actor: LeanActor, { type, params, info, exec }: Executable): void {
  const seen = { type: '@xstate.action', actorRef: actor, action: { type, params } };
  actor.system._sendInspectionEvent(seen as never);
  exec?.(info, params);
}

function emit(listeners: ReadonlyMap<string, Set<Handler>>, event: EventObject): void {
  for (const handler of [...(listeners.get(event.type) ?? []), ...(listeners.get('*') ?? [])]) {
    try {
      handler(event);
    } catch (error) {
      // A listener's error is not the actor's; as in XState it is the process's, a moment later.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

interface Waiting {
  readonly value: EventObject;
  next: Waiting | null;
}

/** XState's mailbox, without a closure. */
class LeanMailbox {
  readonly #actor: LeanActor;
  _active = false;
  _current: Waiting | null = null;
  _last: Waiting | null = null;

  constructor(actor: LeanActor) {
    this.#actor = actor;
  }

  start(): void {
    this._active = true;
    this.flush();
  }

  clear(): void {
    if (!this._current) return;
    this._current.next = null;
    this._last = this._current;
  }

  enqueue(value: EventObject): void {
    const waiting: Waiting = { value, next: null };
    if (this._current && this._last) {
      this._last.next = waiting;
      this._last = waiting;
      return;
    }
    this._current = waiting;
    this._last = waiting;
    if (this._active) this.flush();
  }

  flush(): void {
    for (let waiting = this._current; waiting; waiting = this._current) {
      inherited._process.call(this.#actor, waiting.value);
      this._current = waiting.next;
    }
    this._last = null;
  }
}
