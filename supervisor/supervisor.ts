/**
 * One supervisor: its children, and what it decides when one of them ends (OTP `supervisor`). It is
 * an object and not a machine, so that 100,000 children cost no more each than ten do;
 * `supervisor.machine.ts` draws the states that it goes through.
 */
import { Agenda } from './agenda.ts';
import type { Child, Past } from './child.ts';
import { ChildTable } from './child-table.ts';
import { INTENSITY_DEFAULT, PERIOD_MS_DEFAULT } from './child-spec.ts';
import type { Strategy, SupervisorSpec } from './child-spec.ts';
import { discardHeld } from './delivery/mail.ts';
import { detach, disarm, kill } from './lifecycle.ts';
import * as say from './reports/say.ts';
import { isRestarted } from './restart/exit-reason.ts';
import type { ExitReason } from './restart/exit-reason.ts';
import { Restarts } from './restart/restarts.ts';
import { startCause, startFailure } from './restart/start-cause.ts';
import { startInOrder, stopInOrder } from './sequence.ts';
import type { Sequence } from './sequence.ts';
import { snapshotOf } from './supervisor-snapshot.ts';
import type { SupervisorSnapshot, SupervisorStatus } from './supervisor-snapshot.ts';
import type { TreeScope } from './tree-scope.ts';
import { ParentPort } from './xstate-shape.ts';

/** Whoever started a supervisor: the one above it, or the tree. */
export interface SupervisorOwner {
  /** Path of the supervisor above; undefined at the root. */
  readonly path: string | undefined;
  /** All its static children are ready. */
  ready(): void;
  /** It has ended and nothing of it is left. */
  ended(reason: ExitReason): void;
}

/** See the head of this file. Its methods are called by the parts of this folder only. */
export class Supervisor {
  readonly scope: TreeScope;
  spec: SupervisorSpec;
  readonly path: string;
  readonly incarnation: number;
  strategy: Strategy;
  /** What its children have for a parent. */
  readonly port: ParentPort;
  readonly table: ChildTable;
  status: SupervisorStatus = 'stopped';
  sinceMs = 0;
  /** The start, stop or group restart under way; operations wait until it is through. */
  sequence: Sequence | undefined = undefined;
  readonly #owner: SupervisorOwner;
  readonly #restarts: Restarts;
  readonly #agenda = new Agenda();
  #reason: ExitReason = { type: 'shutdown' };

  constructor(
    scope: TreeScope,
    spec: SupervisorSpec,
    path: string,
    incarnation: number,
    owner: SupervisorOwner,
    past: Past,
  ) {
    this.scope = scope;
    this.spec = spec;
    this.path = path;
    this.incarnation = incarnation;
    this.strategy = spec.strategy ?? 'one_for_one';
    this.port = new ParentPort(spec.id, path, scope.host.system);
    this.#owner = owner;
    this.table = new ChildTable(this, scope.clock, past);
    this.#restarts = new Restarts(this);
  }

  get intensity(): number {
    return this.spec.intensity ?? INTENSITY_DEFAULT;
  }

  get periodMs(): number {
    return this.spec.periodMs ?? PERIOD_MS_DEFAULT;
  }

  get isGroup(): boolean {
    return this.strategy === 'one_for_all' || this.strategy === 'rest_for_one';
  }

  get isSimple(): boolean {
    return this.strategy === 'simple_one_for_one';
  }

  get isEnding(): boolean {
    return this.status === 'stopping' || this.status === 'stopped';
  }

  get snapshot(): SupervisorSnapshot {
    return snapshotOf(this);
  }

  start(): void {
    this.enter('starting');
    const specs = this.isSimple ? [] : (this.spec.children ?? []);
    const children = specs.map((spec) => this.table.add(spec));
    this.sequence = startInOrder(this, children, () => {
      this.enter('running');
      this.#owner.ready();
      this.becomeFree();
    });
    this.sequence.advance();
  }

  /** Goes on with other flags; what was counted still counts. */
  become(spec: SupervisorSpec): void {
    this.spec = spec;
    this.strategy = spec.strategy ?? 'one_for_one';
    this.#restarts.resize();
  }

  enter(status: SupervisorStatus): void {
    this.status = status;
    this.sinceMs = this.scope.clock.now();
  }

  /** Forgets a child that is not running; what the journal has of it goes too, or is kept. */
  remove(child: Child, isKept = false): void {
    if (child.isGone) return;
    if (child.status !== 'stopped') this.table.setStatus(child, 'stopped');
    disarm(child);
    discardHeld(child);
    this.table.delete(child);
    // A child that goes with its supervisor may come back with it.
    if (child.durable && !isKept && !this.isEnding) this.scope.ledger?.forget(child.path);
  }

  /** An incarnation has ended, in whatever way. */
  childEnded(child: Child, reason: ExitReason): void {
    const was = child.status;
    detach(child, was === 'stopping' ? orderly(reason) : reason);
    if (was === 'stopping') this.#stopped(child, reason);
    else if (was === 'starting') this.#startFailed(child, reason);
    else this.#exited(child, reason);
    this.sequence?.advance();
  }

  #stopped(child: Child, found: ExitReason): void {
    const reason = orderly(found);
    const isInGroup = this.#restarts.group.has(child);
    this.table.setStatus(
      child,
      isInGroup && child.restart !== 'temporary' ? 'restarting' : 'stopped',
    );
    say.stopped(child, reason);
    if (!isInGroup || child.restart === 'temporary') discardHeld(child);
    if (child.restart === 'temporary' || this.isSimple) this.remove(child);
    child.settle({ type: 'ended' });
  }

  #startFailed(child: Child, reason: ExitReason): void {
    const cause = startCause(child, reason);
    say.startFailed(child, cause);
    if (this.isEnding || child.waiters) {
      this.table.setStatus(child, 'stopped');
      discardHeld(child);
      child.settle({ type: 'failed', cause });
    } else if (this.status === 'starting') {
      this.table.setStatus(child, 'stopped');
      this.shutdown(startFailure(child, cause));
    } else {
      this.sequence = undefined;
      this.#restarts.begin(child, { type: 'error', cause });
    }
  }

  #exited(child: Child, reason: ExitReason): void {
    const willRestart = !this.isEnding && isRestarted(child.restart, reason);
    say.exited(child, reason, willRestart);
    this.table.setStatus(child, willRestart ? 'restarting' : 'stopped');
    if (this.isEnding) return;
    child.undecided = reason;
    this.#agenda.childEnded(child);
    if (!this.sequence) this.becomeFree();
  }

  /** Nothing is under way: decides what has piled up, then serves operations in their order. */
  becomeFree(): void {
    this.sequence = undefined;
    while (!this.sequence && !this.isEnding) if (!this.#agenda.next(this.#decide)) return;
  }

  readonly #decide = (child: Child): void => {
    const reason = child.undecided;
    if (!reason || child.isGone) return;
    child.undecided = undefined;
    if (isRestarted(child.restart, reason)) {
      this.#restarts.begin(child, reason);
      return;
    }
    if (child.restart === 'temporary' || this.isSimple) this.remove(child);
    else discardHeld(child);
    this.#considerAutoShutdown(child);
  };

  #considerAutoShutdown(child: Child): void {
    const mode = this.spec.autoShutdown ?? 'never';
    if (!child.spec.significant || mode === 'never') return;
    if (mode === 'all_significant' && this.table.significant > 0) return;
    say.autoShutdown(this, child);
    this.shutdown({ type: 'shutdown' });
  }

  /** Runs `whenFree` when no sequence is under way, or `whenGone` if this supervisor ends first. */
  request(whenFree: () => void, whenGone: () => void): void {
    if (this.isEnding) whenGone();
    else {
      this.#agenda.request({ whenFree, whenGone });
      this.scope.queue.post({ run: () => (this.sequence || this.becomeFree(), 1) });
    }
  }

  /** Stops the children in reverse order, each within its time, and then ends with `reason`. */
  shutdown(reason: ExitReason): void {
    if (this.isEnding) return;
    this.#reason = reason;
    this.#quit('stopping');
    const alive = [...this.table.values()].filter((child) => child.isAlive).toReversed();
    this.sequence = stopInOrder(this, alive, this.isSimple, () => this.#finish());
    this.sequence.advance();
  }

  /** Ends at once with all children: nobody is asked, nothing is waited for. */
  abandon(): void {
    if (this.status === 'stopped') return;
    this.#quit('stopping');
    for (const child of [...this.table.values()].toReversed()) {
      if (!child.isAlive) continue;
      this.table.setStatus(child, 'stopping');
      kill(child);
    }
    this.#clear();
  }

  #quit(status: 'stopping'): void {
    this.enter(status);
    this.sequence = undefined;
    this.#restarts.group.cancel();
    for (const child of this.table.values()) {
      if (child.isAlive) continue;
      disarm(child);
      if (child.status !== 'stopped') this.table.setStatus(child, 'stopped');
    }
    this.#agenda.close();
  }

  #finish(): void {
    this.#clear();
    say.escalation(this, this.#owner.path, this.#reason);
    this.#owner.ended(this.#reason);
  }

  #clear(): void {
    this.sequence = undefined;
    this.enter('stopped');
    for (const child of this.table.values()) discardHeld(child);
    this.table.clear();
  }
}

/** A final state after the command to stop is the end that was asked for. */
const orderly = (reason: ExitReason): ExitReason =>
  reason.type === 'normal' ? { type: 'shutdown' } : reason;
