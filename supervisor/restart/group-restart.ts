/**
 * The restart of a group (`one_for_all`, `rest_for_one`): stop the siblings in reverse order, wait if
 * the child has a back-off, start all of them in order. It counts once, whatever the group's size.
 */
import type { Child } from '../child.ts';
import type { ExitReason } from './exit-reason.ts';
import { startInOrder, stopInOrder } from '../sequence.ts';
import type { Supervisor } from '../supervisor.ts';

/** At most one group of a supervisor restarts at a time. */
export class GroupRestart {
  readonly #supervisor: Supervisor;
  /** Counts a restart; false when the supervisor gives up. */
  readonly #admit: (child: Child, reason: ExitReason) => boolean;
  /** The first child of the group; undefined when no group restarts. */
  #from: Child | undefined;
  #timer: unknown;

  constructor(supervisor: Supervisor, admit: (child: Child, reason: ExitReason) => boolean) {
    this.#supervisor = supervisor;
    this.#admit = admit;
  }

  /** Whether the child belongs to a group that is being restarted. */
  has(child: Child): boolean {
    if (!this.#from) return false;
    return this.#supervisor.strategy === 'one_for_all' || child.order >= this.#from.order;
  }

  /** `child` is down and needs a restart in `delayMs`. */
  begin(child: Child, delayMs: number, reason: ExitReason): void {
    const supervisor = this.#supervisor;
    // A group that waits for its back-off takes the child along when the wait is over.
    if (this.#timer !== undefined && this.has(child)) return;
    this.cancel();
    if (delayMs <= 0 && !this.#admit(child, reason)) return;
    this.#from = child;
    supervisor.enter('restarting');
    const alive = this.#claim();
    supervisor.sequence = stopInOrder(supervisor, alive, false, () => {
      if (delayMs > 0) this.#wait(child, delayMs, reason);
      else this.#start(child);
    });
    supervisor.sequence.advance();
  }

  /** Gives the group up; its members stay as they are. */
  cancel(): void {
    this.#from = undefined;
    if (this.#timer !== undefined) this.#supervisor.scope.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  get #members(): Child[] {
    return [...this.#supervisor.table.values()].filter((child) => this.has(child));
  }

  /** Everything in the group is to be restarted; returns what must be stopped first. */
  #claim(): Child[] {
    const alive: Child[] = [];
    for (const member of this.#members)
      if (member.isAlive) alive.push(member);
      else if (member.restart !== 'temporary')
        this.#supervisor.table.setStatus(member, 'restarting');
    return alive.toReversed();
  }

  #wait(child: Child, delayMs: number, reason: ExitReason): void {
    const supervisor = this.#supervisor;
    const { clock, queue } = supervisor.scope;
    const timer = clock.setTimeout(() => {
      queue.post({
        run: () => {
          if (this.#timer !== timer) return 0;
          this.#timer = undefined;
          if (this.#admit(child, reason)) this.#start(child);
          return 1;
        },
      });
    }, delayMs);
    this.#timer = timer;
    supervisor.becomeFree();
  }

  #start(child: Child): void {
    const supervisor = this.#supervisor;
    const members = this.#members.filter((member) => member.status === 'restarting');
    if (!child.isGone) child.restarts++;
    for (const member of members) member.isRestart = true;
    supervisor.sequence = startInOrder(supervisor, members, () => {
      this.cancel();
      supervisor.enter('running');
      supervisor.becomeFree();
    });
    supervisor.sequence.advance();
  }
}
