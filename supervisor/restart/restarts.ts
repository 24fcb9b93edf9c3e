/** The restarts of one supervisor: counted, delayed, of one child or with its group. */
import type { Child } from '../child.ts';
import { isSupervisorSpec } from '../child-spec.ts';
import { supervisorError } from '../errors.ts';
import { arm, launch } from '../lifecycle.ts';
import * as say from '../reports/say.ts';
import type { Supervisor } from '../supervisor.ts';
import { backoffDelayMs } from './backoff.ts';
import { causeOf } from './exit-reason.ts';
import type { ExitReason } from './exit-reason.ts';
import { GroupRestart } from './group-restart.ts';
import { RestartWindow } from './restart-window.ts';

/** See the head of this file. */
export class Restarts {
  readonly group: GroupRestart;
  readonly #supervisor: Supervisor;
  #window: RestartWindow;

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor;
    this.#window = new RestartWindow(supervisor.intensity, supervisor.periodMs);
    this.group = new GroupRestart(supervisor, (child, reason) => this.#admit(child, reason));
  }

  /** Takes over what the flags say now; what was counted still counts. */
  resize(): void {
    this.#window = this.#window.resized(this.#supervisor.intensity, this.#supervisor.periodMs);
  }

  /** The child is down and is to come back, after its back-off if it has one. */
  begin(child: Child, reason: ExitReason): void {
    const supervisor = this.#supervisor;
    supervisor.table.setStatus(child, 'restarting');
    const delayMs = this.#delayMs(child);
    if (delayMs > 0) say.backoff(child, delayMs);
    if (supervisor.isGroup) this.group.begin(child, delayMs, reason);
    else if (delayMs > 0) arm(child, delayMs, () => this.#restartOne(child, reason));
    else this.#restartOne(child, reason);
  }

  #delayMs(child: Child): number {
    const { clock, random } = this.#supervisor.scope;
    const backoff = isSupervisorSpec(child.spec) ? undefined : child.spec.backoff;
    if (!backoff) return 0;
    const ranMs = clock.monotonicNow() - child.readyAtMs;
    if (child.hasBeenReady && ranMs >= backoff.resetAfterMs) child.attempt = 0;
    child.hasBeenReady = false;
    return backoffDelayMs(backoff, child.attempt++, random);
  }

  #restartOne(child: Child, reason: ExitReason): void {
    if (this.#supervisor.isEnding || !this.#admit(child, reason)) return;
    child.restarts++;
    child.isRestart = true;
    launch(child);
  }

  /** Counts a restart; false when it was one too many, and then the supervisor is ending. */
  #admit(child: Child, reason: ExitReason): boolean {
    const supervisor = this.#supervisor;
    const { path, intensity, periodMs, scope } = supervisor;
    if (this.#window.admit(scope.clock.monotonicNow())) return true;
    say.intensity(supervisor, child);
    const cause = supervisorError(
      'MESH_ERR_SUPERVISOR_INTENSITY_REACHED',
      `Supervisor ${path} gave up: ${child.path} needed more than ${intensity} restarts within ` +
        `${periodMs} ms.`,
      { cause: causeOf(reason), details: { path, child: child.path, intensity } },
    );
    supervisor.shutdown({ type: 'shutdown', cause });
    return false;
  }
}
