/**
 * The only place, with `xstate-shape.ts`, that knows how XState works inside. It offers the supervisor
 * a host for actors of any logic and keeps four promises that XState 5 does not:
 *
 * - mail goes through the run queue (XState delivers on the sender's stack); only a machine's mail to
 *   its own child stays synchronous, because XState stops that child right after its last mail;
 * - when an actor ends, everything that it spawned or invoked ends with it, at once;
 * - timers are indexed by actor (XState scans all timers of the system for each actor that stops);
 * - a user's `*` never matches the end of a child.
 */
import { StateMachine, createActor, fromTransition } from 'xstate';
import type { AnyActorLogic, AnyActorRef, EventObject, Snapshot } from 'xstate';
import xstatePackage from 'xstate/package.json' with { type: 'json' };
import type { Clock } from '../machines/kernel/clock.ts';
import { ActorTimers } from './delivery/actor-timers.ts';
import { Cell } from './delivery/cell.ts';
import type { CellHost, CellOwner } from './delivery/cell.ts';
import type { RunQueue } from './delivery/run-queue.ts';
import { isTold } from './placement/thread-actor.ts';
import type { AsyncAttribution } from './ports.ts';
import type { HostInspection, HostListener, HostOptions } from './host-options.ts';
import { holdEffects } from './xstate-durable.ts';
import { planned } from './plans/planned-machine.ts';
import { createLeanActor } from './xstate-actor.ts';
import {
  CELL,
  ParentPort,
  PathRef,
  RUNNING,
  STOPPED,
  STOP_SIGNAL,
  assertXstateVersion,
  cleanUp,
  cellOf,
  internals,
  isLifecycle,
  isOwn,
  matchedDescriptors,
  srcOf,
} from './xstate-shape.ts';
import type {
  ActorInternals,
  InspectionSeen,
  SpawnOptions,
  SystemInternals,
  Target,
} from './xstate-shape.ts';

/** Creates, feeds and ends the actors of one tree, all in one XState system. */
export class ActorHost implements CellHost {
  readonly system: unknown;
  /** Unset while nobody looks, and then it costs a comparison. */
  inspection: HostInspection | undefined = undefined;
  readonly #clock: Clock;
  readonly #queue: RunQueue;
  readonly #listener: HostListener;
  readonly #attribution: AsyncAttribution | undefined;
  readonly #hasPlans: boolean;
  /** The cell whose actor is being constructed. */
  #pending: Cell | undefined;
  /** The actor that is ending because it was stopped: XState cancels its timers first. */
  #inStop: ActorInternals | undefined;

  constructor({
    clock,
    queue,
    listener,
    logger,
    attribution,
    hasPlans,
    root: rootId,
  }: HostOptions) {
    this.#clock = clock;
    this.#queue = queue;
    this.#listener = listener;
    this.#attribution = attribution;
    this.#hasPlans = hasPlans;
    assertXstateVersion(xstatePackage.version);
    const root = createActor(
      fromTransition((state: undefined) => state, undefined),
      {
        clock: {
          setTimeout: (fn, ms) => clock.setTimeout(fn as () => void, ms),
          clearTimeout: (id) => clock.clearTimeout(id),
        },
        logger: (...details: unknown[]) =>
          logger?.({ level: 'info', message: 'A machine logged.', details }),
      },
    );
    this.system = root.system;
    this.#adopt(root.system as unknown as SystemInternals, `${rootId}/`);
  }

  #adopt(system: SystemInternals, rootPrefix: string): void {
    const { _unregister: unregister, _sendInspectionEvent: inspect, get } = system;
    system.get = (id) =>
      get(id) ?? (id.startsWith(rootPrefix) ? new PathRef(id, this.#listener) : undefined);
    system._relay = (source, target, event) => this.#relay(source, target, event);
    // XState keeps a list of all actors and never reads it.
    system._register = (sessionId) => sessionId;
    system._unregister = (actor) => {
      unregister(actor);
      this.#unregistered(actor);
    };
    system._sendInspectionEvent = (seen) => {
      inspect(seen);
      this.#inspected(seen);
    };
    const timers = new ActorTimers(this.#clock);
    system.scheduler = {
      schedule: (source, target, event, delay, id) => {
        const cell = cellOf(this, source);
        const key = timers.set(cell, id, delay, () => {
          this.inspection?.timed(cell, 'timer.fired', key, undefined);
          this.#relay(source, target, event);
        });
        this.inspection?.timed(cell, 'timer.set', key, delay);
        cell.durability?.deadlines.set(cell, id, delay, event, target);
        cell.durability?.changed();
      },
      cancel: (source, id) => {
        const cell = source[CELL];
        if (timers.clear(cell, id) && cell)
          this.inspection?.timed(cell, 'timer.cancelled', id, undefined);
        cell?.durability?.deadlines.clear(cell, id);
      },
      cancelAll: (source) => {
        const cell = source[CELL];
        if (source._snapshot.status === 'error') cell?.durability?.crashing(cell);
        cell?.durability?.deadlines.clearAll(cell);
        this.#inStop =
          source.mailbox._current?.value.type === STOP_SIGNAL.type ? source : undefined;
        timers.clearAll(source[CELL]);
      },
    };
  }

  /** Creates and starts the next incarnation. A failure shows in `cell.exit` and is sent to the owner. */
  spawn(
    owner: CellOwner,
    incarnation: number,
    parent: ParentPort,
    logic: AnyActorLogic,
    options: SpawnOptions,
  ): Cell {
    const cell = new Cell(this, owner, undefined, incarnation);
    cell.durability = options.durability;
    this.#run(cell, this.#begin, cell, parent, logic, options);
    return cell;
  }

  readonly #begin = (
    cell: Cell,
    parent: ParentPort,
    logic: AnyActorLogic,
    options: SpawnOptions,
  ): void => {
    try {
      const input = options.input();
      this.#pending = cell;
      const { id, snapshot } = options;
      const actor =
        this.#hasPlans && planned(logic) !== logic
          ? createLeanActor(logic, { id, parent, input, snapshot })
          : createActor(logic, {
              id,
              parent: parent as unknown as AnyActorRef,
              input,
              ...(snapshot === undefined ? {} : { snapshot }),
            });
      this.#pending = undefined;
      actor.start();
    } catch (error) {
      this.#pending = undefined;
      this.#ended(cell, { type: 'error', cause: error });
    }
  };

  /** Stops it the XState way, at once, with all that it owns; returns an error of its clean-up. */
  stop(cell: Cell): unknown {
    cell.exit ??= { type: 'shutdown' };
    if (!cell.actor) return undefined;
    const actor = internals(cell.actor);
    actor._stop();
    return actor._snapshot.status === 'error' ? actor._snapshot.error : undefined;
  }

  /** Makes a running actor fail with an error that arose outside of its own turn. */
  fail(cell: Cell, error: unknown): void {
    if (!cell.actor) return;
    const actor = internals(cell.actor);
    if (actor._processingStatus !== RUNNING) return;
    actor._snapshot = { ...actor._snapshot, status: 'error', error } as Snapshot<unknown>;
    actor._error(error);
  }

  /** An error that nobody caught and that `owner` set in motion; false if that is none of ours. */
  attribute(owner: object, error: unknown): boolean {
    if (!(owner instanceof Cell) || owner.host !== this) return false;
    const isRunning = owner.actor && internals(owner.actor)._processingStatus === RUNNING;
    if (isRunning) this.#queue.post({ run: () => (this.fail(owner, error), 1) });
    else this.#listener.stray(owner.path, owner.incarnation, error);
    return true;
  }

  schedule(cell: Cell): void {
    this.#queue.ready(cell);
  }

  turn(cell: Cell, quantum: number): number {
    return this.#run(cell, this.#drain, cell, quantum);
  }

  readonly #drain = (cell: Cell, quantum: number): number => {
    const actor = internals(cell.actor);
    let spent = 0;
    while (spent < quantum && actor._processingStatus !== STOPPED) {
      const letter = cell.take();
      if (!letter) return spent;
      spent++;
      this.#deliver(actor, letter.source, letter.event);
      if (this.#queue.isLate) break;
    }
    // A supervised child's letters wait for its supervisor to decide; a machine's own child has none.
    if (actor._processingStatus === STOPPED && !cell.owner) this.#discard(cell);
    return spent;
  };

  #discard(cell: Cell): void {
    for (let letter = cell.take(); letter; letter = cell.take())
      this.#undeliverable(internals(cell.actor), letter.source, letter.event);
  }

  #deliver(actor: ActorInternals, source: unknown, event: EventObject): void {
    if (this.inspection) this.#inspectMail(actor, source, event);
    if (isLifecycle(event) && actor.logic instanceof StateMachine) {
      const matched = matchedDescriptors(actor, event);
      if (matched.length > 0 && matched.every((descriptor) => descriptor === '*')) {
        const { error } = event as EventObject & { error?: unknown };
        if (event.type.startsWith('xstate.error.')) this.fail(cellOf(this, actor), error);
        return;
      }
    }
    const { durability } = cellOf(this, actor);
    if (durability === undefined) actor._send(event);
    else {
      const cell = cellOf(this, actor);
      const own = isOwn(source, cell.top.actor) ? cellOf(this, internals(source)) : undefined;
      durability.handle(cell, own, event, () => actor._send(event));
    }
  }

  #relay(source: ActorInternals | undefined, target: Target, event: EventObject): void {
    if (target instanceof ParentPort) {
      this.#signal(source, target, event);
      return;
    }
    const durability = source?.[CELL]?.durability;
    if (source && durability?.holdsEffects && !isOwn(target, source[CELL]?.top.actor))
      durability.hold(cellOf(this, source), () => this.#pass(source, target, event));
    else this.#pass(source, target, event);
  }

  #pass(
    source: ActorInternals | undefined,
    target: ActorInternals | PathRef,
    event: EventObject,
  ): void {
    if (target instanceof PathRef) {
      this.#listener.mail(target.id, event, source as AnyActorRef | undefined);
      return;
    }
    const cell = cellOf(this, target);
    if (target._processingStatus === STOPPED) this.#undeliverable(target, source, event);
    else if (source !== undefined && target._parent === source)
      this.#deliver(target, source, event);
    else if (cell.isGuarded && !isOwn(source, target))
      cell.owner?.receive?.(event, source as AnyActorRef | undefined);
    else cell.post(source as AnyActorRef | undefined, event);
  }

  /** An actor's own late mail and the ends of its children are nobody's business once it is gone. */
  #undeliverable(target: ActorInternals, source: unknown, event: EventObject): void {
    if (isOwn(source, target) || event.type.startsWith('xstate.')) return;
    this.#listener.undeliverable(cellOf(this, target).path, event, 'ended');
  }

  #signal(source: ActorInternals | undefined, parent: ParentPort, event: EventObject): void {
    const cell = source?.[CELL];
    const hasEnded = source?._processingStatus === STOPPED && isLifecycle(event);
    if (!cell || !hasEnded) {
      this.#listener.undeliverable(parent.sessionId, event, 'supervisor');
      return;
    }
    const { error, output } = event as EventObject & { error?: unknown; output?: unknown };
    if (event.type.startsWith('xstate.error.')) this.#ended(cell, { type: 'error', cause: error });
    else this.#ended(cell, { type: 'normal', output });
  }

  #ended(cell: Cell, exit: NonNullable<Cell['exit']>): void {
    if (cell.exit) return;
    cell.exit = exit;
    this.#queue.post({
      run: () => {
        cell.owner?.cellEnded(cell, exit);
        return 1;
      },
    });
  }

  #inspected(seen: InspectionSeen): void {
    if (seen.type === '@xstate.actor') this.#constructed(seen.actorRef);
    else if (this.inspection && seen.type === '@xstate.microstep') {
      this.inspection.stepped(cellOf(this, seen.actorRef), seen._transitions ?? []);
    } else if (this.inspection && seen.type === '@xstate.snapshot') {
      const cell = cellOf(this, seen.actorRef);
      // An actor that stands for one in a thread changes only when the thread tells so.
      if (!cell.owner?.placed || isTold(seen.event))
        this.inspection.changed(cell, seen.event, seen.snapshot as Snapshot<unknown>);
    }
  }

  #inspectMail(actor: ActorInternals, source: unknown, event: EventObject): void {
    if (isTold(event)) return;
    const sender = source === undefined ? undefined : cellOf(this, internals(source));
    this.inspection?.delivered(cellOf(this, actor), event, sender);
  }

  /** Runs at the beginning of an actor's constructor, before any of its logic. */
  #constructed(actor: ActorInternals): void {
    if (this.#hasPlans) actor.logic = planned(actor.logic);
    const pending = this.#pending;
    if (actor._parent instanceof ParentPort && pending) {
      this.#pending = undefined;
      pending.actor = actor as unknown as AnyActorRef;
      actor[CELL] = pending;
      holdEffects(pending, actor);
      return;
    }
    if (!actor._parent || actor._parent instanceof ParentPort) return;
    const keeper = cellOf(this, actor._parent);
    (keeper.owned ??= new Set()).add(actor as unknown as AnyActorRef);
    this.inspection?.started(cellOf(this, actor), 'actor.started', srcOf(actor));
    if (this.#attribution) {
      const start = actor.start.bind(actor);
      actor.start = () => this.#run(cellOf(this, actor), start);
    }
    if (keeper.durability) holdEffects(cellOf(this, actor), actor);
  }

  /** Lets out an effect that was held, as if in the turn of the actor that asked for it. */
  release(cell: Cell, effect: () => void): void {
    this.#run(cell, effect);
  }

  /** Runs whenever an actor ends, in whatever way, and once more if its machine stops it later. */
  #unregistered(actor: ActorInternals): void {
    if (actor._processingStatus === RUNNING) return;
    const cell = actor[CELL];
    if (actor._parent && !(actor._parent instanceof ParentPort)) {
      const wasOwned = actor._parent[CELL]?.owned?.delete(actor as unknown as AnyActorRef);
      if (wasOwned) this.inspection?.stopped(cellOf(this, actor), undefined);
    }
    if (actor._processingStatus !== STOPPED) return;
    if (actor._snapshot.status === 'error' && this.#inStop !== actor) this.#cleanUp(actor);
    this.#inStop = undefined;
    if (!cell?.owned) return;
    const { owned } = cell;
    cell.owned = undefined;
    for (const child of owned) {
      internals(child)._stop();
      (this.system as SystemInternals)._unregister(internals(child));
    }
  }

  #cleanUp(actor: ActorInternals): void {
    const error = cleanUp(actor);
    if (error === undefined) return;
    const cell = cellOf(this, actor);
    this.#listener.stray(cell.path, cell.incarnation, error);
  }

  #run<Args extends unknown[], Result>(
    cell: Cell,
    fn: (...args: Args) => Result,
    ...args: Args
  ): Result {
    return this.#attribution ? this.#attribution.run(cell, fn, ...args) : fn(...args);
  }
}
