/** The life of one child: launched, ready, asked to stop, killed, gone. */
import type { AnyActorLogic, Snapshot } from 'xstate';
import type { Cell } from './delivery/cell.ts';
import type { Child } from './child.ts';
import { START_TIMEOUT_MS_DEFAULT, isSupervisorSpec, shutdownOf } from './child-spec.ts';
import type { ChildSpec } from './child-spec.ts';
import { inputOf, startDurable } from './durable/continuation.ts';
import type { Origin } from './durable/continuation.ts';
import { supervisorError } from './errors.ts';
import { NOT_YET } from './placement/mirror.ts';
import { ThreadActor } from './placement/thread-actor.ts';
import { isThreadLogic } from './placement/thread-logic.ts';
import { exitReasonJson } from './restart/exit-reason.ts';
import type { ExitReason } from './restart/exit-reason.ts';
import { STOP_COMMAND, collectMail, deliverHeld } from './delivery/mail.ts';
import type { SupervisorOwner } from './supervisor.ts';
import { reactsToStop } from './xstate-shape.ts';

/** Starts the next incarnation. It is `running` on return if it had nothing to wait for. */
export function launch(child: Child): void {
  const { supervisor, spec } = child;
  child.incarnation++;
  child.undecided = undefined;
  supervisor.table.setStatus(child, 'starting');
  const { inspection } = supervisor.scope;
  if (!inspection.isEmpty)
    inspection.started(child, child.isRestart ? 'actor.restarted' : 'actor.started');
  if (isSupervisorSpec(spec)) {
    const owner: SupervisorOwner = {
      path: supervisor.path,
      ready: () => markReady(child),
      ended: (reason) => {
        if (child.nested === nested) supervisor.childEnded(child, reason);
      },
    };
    const past = (child.past ??= new Map());
    const nested = supervisor.scope.nest(spec, child.path, child.incarnation, owner, past);
    child.nested = nested;
    nested.start();
  } else launchWorker(child, spec);
}

function launchWorker(child: Child, spec: ChildSpec): void {
  const cell =
    startDurable(child, spec, (origin) => spawn(child, spec, origin)) ?? spawn(child, spec, {});
  child.cell = cell;
  cell.isGuarded = child.mailbox !== undefined;
  if (!child.mailbox?.isStash) deliverHeld(child);
  if (cell.exit?.type === 'error') return;
  if (!spec.ready && !child.placed) markReady(child);
  else awaitReady(child, cell, spec);
}

/** What XState runs: the logic itself, or what passes its mail on to a thread. */
function logicOf(child: Child, { logic }: ChildSpec): AnyActorLogic {
  if (!isThreadLogic(logic)) return logic;
  child.placed = new ThreadActor(child, logic.thread);
  return child.placed.logic;
}

const spawn = (child: Child, spec: ChildSpec, origin: Origin): Cell =>
  child.supervisor.scope.host.spawn(
    child,
    child.incarnation,
    child.supervisor.port,
    logicOf(child, spec),
    {
      id: spec.id,
      input: () => {
        if (origin.error !== undefined) throw origin.error;
        return origin.input ? origin.input() : inputOf(child, spec);
      },
      snapshot: origin.snapshot as Snapshot<unknown> | undefined,
      durability: origin.durability,
    },
  );

function awaitReady(child: Child, cell: Cell, spec: ChildSpec): void {
  const { host, queue } = child.supervisor.scope;
  const look = (snapshot: Snapshot<unknown>): boolean => {
    let isReady = false;
    try {
      isReady = snapshot !== NOT_YET && spec.ready?.(snapshot) !== false;
    } catch (error) {
      queue.post({ run: () => (host.fail(cell, error), 1) });
    }
    return isReady;
  };
  if (look(cell.actor?.getSnapshot() as Snapshot<unknown>)) {
    markReady(child);
    return;
  }
  const subscription = cell.actor?.subscribe({
    next: (snapshot: Snapshot<unknown>) => {
      if (child.status !== 'starting' || !look(snapshot)) return;
      queue.post({
        run: () => {
          if (child.cell === cell && child.status === 'starting') markReady(child);
          return 1;
        },
      });
    },
    // Its error comes as the end of the cell; without this XState would throw it globally.
    error: () => {},
  });
  child.unsubscribe = () => subscription?.unsubscribe();
  const startTimeoutMs = spec.startTimeoutMs ?? START_TIMEOUT_MS_DEFAULT;
  arm(child, startTimeoutMs, () => host.fail(cell, startTimedOut(child.path, startTimeoutMs)));
}

const startTimedOut = (path: string, startTimeoutMs: number): Error =>
  supervisorError(
    'MESH_ERR_SUPERVISOR_START_TIMED_OUT',
    `${path} was started and not ready after ${startTimeoutMs} ms.`,
    { details: { path, startTimeoutMs } },
  );

function markReady(child: Child): void {
  const { supervisor } = child;
  const { clock, reports, watchers } = supervisor.scope;
  release(child);
  supervisor.table.setStatus(child, 'running');
  child.readyAtMs = clock.monotonicNow();
  child.hasBeenReady = true;
  const { incarnation, restarts } = child;
  if (!reports.isEmpty) {
    const { path } = child;
    const atMs = clock.now();
    if (child.isRestart) reports.emit({ type: 'restart', atMs, path, incarnation, restarts });
    else reports.emit({ type: 'start', atMs, path, incarnation });
  }
  if (!watchers.isEmpty) watchers.emit({ type: 'up', path: child.path, incarnation });
  if (child.held) deliverHeld(child);
  child.settle({ type: 'ready' });
  supervisor.sequence?.advance();
}

/** Asks the child to stop, in the way and the time that its spec gives. */
export function beginStop(child: Child): void {
  const { supervisor, cell, nested, spec } = child;
  const shutdown = shutdownOf(spec);
  release(child);
  supervisor.table.setStatus(child, 'stopping');
  // It ended a moment ago, and its end is on its way through the queue.
  if (cell?.exit) return;
  if (shutdown === 'brutal_kill') {
    kill(child);
    return;
  }
  if (typeof shutdown === 'number') arm(child, shutdown, () => kill(child));
  if (nested) nested.shutdown({ type: 'shutdown' });
  else if (cell && !isSupervisorSpec(spec)) stopWorker(child, cell, spec);
}

function stopWorker(child: Child, cell: Cell, spec: ChildSpec): void {
  if (child.placed || reactsToStop(spec.logic)) {
    cell.post(undefined, STOP_COMMAND);
    return;
  }
  child.durable?.leave();
  const cause = child.supervisor.scope.host.stop(cell);
  const reason: ExitReason = cause === undefined ? { type: 'shutdown' } : { type: 'error', cause };
  child.supervisor.childEnded(child, reason);
}

/**
 * Ends the child now. A thread is ended, whatever it is doing. In its own thread JavaScript cannot
 * interrupt running code: the child's mail is dropped, its timers are cancelled, its signal aborted,
 * its name freed, and what it calls back later is ignored.
 */
export function kill(child: Child): void {
  const { supervisor, nested, cell } = child;
  const { host } = supervisor.scope;
  if (nested) nested.abandon();
  else if (cell) {
    child.durable?.leave();
    const error = host.stop(cell);
    if (error !== undefined) supervisor.scope.stray(child.path, child.incarnation, error);
  }
  supervisor.childEnded(child, { type: 'killed' });
}

/** Takes leave of an incarnation that has ended. */
export function detach(child: Child, reason: ExitReason): void {
  const { asks, watchers, inspection } = child.supervisor.scope;
  release(child);
  child.durable?.ended(reason);
  collectMail(child);
  if (asks.pending > 0) asks.ended(child.path);
  child.cell = undefined;
  child.placed = undefined;
  child.nested = undefined;
  if (!inspection.isEmpty) inspection.stopped(child, exitReasonJson(child.path, reason));
  if (watchers.isEmpty || !watchers.has(child.path)) return;
  const { path, incarnation } = child;
  watchers.emit({ type: 'down', path, incarnation, reason: exitReasonJson(path, reason) });
}

/** Sets the child's one deadline; `act` runs from the run queue. */
export function arm(child: Child, delayMs: number, act: () => void): void {
  const { clock, queue } = child.supervisor.scope;
  disarm(child);
  const timer = clock.setTimeout(() => {
    queue.post({
      run: () => {
        if (child.timer !== timer) return 0;
        child.timer = undefined;
        act();
        return 1;
      },
    });
  }, delayMs);
  child.timer = timer;
}

/** Cancels the child's deadline. */
export function disarm(child: Child): void {
  if (child.timer === undefined) return;
  child.supervisor.scope.clock.clearTimeout(child.timer);
  child.timer = undefined;
}

/** Ends what a start or a stop was waiting for. */
function release(child: Child): void {
  disarm(child);
  child.unsubscribe?.();
  child.unsubscribe = undefined;
}
