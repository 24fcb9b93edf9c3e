/** The children of one supervisor in start order, with counts that are right at any moment. */
import type { Clock } from '../machines/kernel/clock.ts';
import { Child, isAliveStatus } from './child.ts';
import type { ChildStatus, Past } from './child.ts';
import type { AnyChildSpec } from './child-spec.ts';
import type { Supervisor } from './supervisor.ts';

/** Constant cost for each change, whatever the number of children. */
export class ChildTable {
  /** Children that are starting, running or stopping. */
  active = 0;
  /** Children that are supervisors, alive or not. */
  supervisors = 0;
  /** Significant children that run or will run again. */
  significant = 0;
  readonly #supervisor: Supervisor;
  readonly #clock: Clock;
  readonly #past: Past;
  readonly #byId = new Map<string, Child>();
  #order = 0;
  #numbered = 0;

  constructor(supervisor: Supervisor, clock: Clock, past: Past) {
    this.#supervisor = supervisor;
    this.#clock = clock;
    this.#past = past;
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Child | undefined {
    return this.#byId.get(id);
  }

  /** In start order; it may change while it is walked through. */
  values(): IterableIterator<Child> {
    return this.#byId.values();
  }

  add(spec: AnyChildSpec): Child {
    const child = new Child(this.#supervisor, spec, this.#order++, this.#past.get(spec.id));
    this.#byId.set(child.id, child);
    if (child.isSupervisor) this.supervisors++;
    return child;
  }

  /** An id for a child of `simple_one_for_one` that was given none; never the same twice. */
  nextTemplateId(templateId: string): string {
    this.#numbered = Math.max(this.#numbered, this.#order) + 1;
    return `${templateId}-${this.#numbered}`;
  }

  delete(child: Child): void {
    child.isGone = true;
    this.#remember(child);
    this.#byId.delete(child.id);
    if (child.isSupervisor) this.supervisors--;
  }

  /** The supervisor has ended. */
  clear(): void {
    for (const child of this.#byId.values()) {
      child.isGone = true;
      this.#remember(child);
    }
    this.#byId.clear();
    this.supervisors = 0;
  }

  setStatus(child: Child, status: ChildStatus): void {
    const was = child.status;
    this.active += Number(isAliveStatus(status)) - Number(isAliveStatus(was));
    if (child.spec.significant)
      this.significant += Number(status !== 'stopped') - Number(was !== 'stopped');
    child.status = status;
    child.sinceMs = this.#clock.now();
  }

  /** What counts of the spec at once counts from now on. */
  setSpec(child: Child, spec: AnyChildSpec): void {
    if (child.status !== 'stopped')
      this.significant +=
        Number(spec.significant ?? false) - Number(child.spec.significant ?? false);
    child.spec = spec;
  }

  /** Only static children are remembered, so that dynamic ones leave nothing behind. */
  #remember({ id, order, incarnation, past }: Child): void {
    const { isSimple, spec } = this.#supervisor;
    const isStatic = order < (spec.children?.length ?? 0) || this.#past.has(id);
    if (isStatic && !isSimple) this.#past.set(id, { incarnation, past });
  }
}
