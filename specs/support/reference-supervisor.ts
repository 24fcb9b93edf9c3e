/**
 * A supervisor as the OTP manual describes it, in the plainest way: no time passes while it works,
 * children start and stop at once, and it is free to be slow. Random trees are held against it.
 */
import type { AnyChildSpec, SupervisorSpec } from '../../supervisor/index.ts';

interface Kid {
  readonly spec: AnyChildSpec;
  status: 'running' | 'stopped';
  incarnation: number;
  nested: ReferenceSupervisor | undefined;
  readonly past: Past;
}

type Past = Map<string, { incarnation: number; past: Past }>;

export type Ended = 'normal' | 'shutdown' | 'error';

const restartOf = ({ restart }: AnyChildSpec) => restart ?? 'permanent';

export class ReferenceSupervisor {
  readonly spec: SupervisorSpec;
  readonly kids: Kid[] = [];
  isUp = true;
  readonly #now: () => number;
  readonly #ended: () => void;
  readonly #past: Past;
  #times: number[] = [];

  constructor(spec: SupervisorSpec, past: Past, now: () => number, ended: () => void) {
    this.spec = spec;
    this.#past = past;
    this.#now = now;
    this.#ended = ended;
    for (const child of spec.children ?? []) this.#start(this.#add(child));
  }

  /** `id:incarnation` of what runs and `id:stopped` of what does not, depth first. */
  show(path: string): string[] {
    return this.kids.flatMap(({ spec, status, incarnation, nested }) => [
      `${path}/${spec.id}:${status === 'running' ? incarnation : status}`,
      ...(nested ? nested.show(`${path}/${spec.id}`) : []),
    ]);
  }

  find(id: string): Kid | undefined {
    return this.kids.find(({ spec }) => spec.id === id);
  }

  end(id: string, how: Ended): void {
    const kid = this.find(id);
    if (kid?.status !== 'running') return;
    kid.status = 'stopped';
    kid.nested = undefined;
    const restart = restartOf(kid.spec);
    if (restart === 'permanent' || (restart === 'transient' && how === 'error')) this.#restart(kid);
    else {
      if (restart === 'temporary') this.#forget(kid);
      this.#considerAutoShutdown(kid);
    }
  }

  startChild(spec: AnyChildSpec): string {
    const present = this.find(spec.id);
    if (present) return present.status === 'running' ? 'already_started' : 'already_present';
    this.#start(this.#add(spec));
    return 'ok';
  }

  terminateChild(id: string): string {
    const kid = this.find(id);
    if (!kid) return 'not_found';
    this.#stop(kid);
    return 'ok';
  }

  restartChild(id: string): string {
    const kid = this.find(id);
    if (!kid) return 'not_found';
    if (kid.status === 'running') return 'running';
    this.#start(kid);
    return 'ok';
  }

  deleteChild(id: string): string {
    const kid = this.find(id);
    if (!kid) return 'not_found';
    if (kid.status === 'running') return 'running';
    this.#forget(kid);
    return 'ok';
  }

  /** Stops everything, in reverse. */
  quit(): void {
    this.isUp = false;
    for (const kid of this.kids.toReversed()) this.#stop(kid);
    while (this.kids[0]) this.#forget(this.kids[0]);
  }

  #add(spec: AnyChildSpec): Kid {
    const before = this.#past.get(spec.id);
    const kid: Kid = {
      spec,
      status: 'stopped',
      incarnation: before?.incarnation ?? 0,
      nested: undefined,
      past: before?.past ?? new Map(),
    };
    this.kids.push(kid);
    return kid;
  }

  #start(kid: Kid): void {
    kid.status = 'running';
    kid.incarnation++;
    if (kid.spec.type === 'supervisor')
      kid.nested = new ReferenceSupervisor(kid.spec, kid.past, this.#now, () =>
        this.end(kid.spec.id, 'shutdown'),
      );
  }

  #stop(kid: Kid): void {
    kid.nested?.quit();
    kid.nested = undefined;
    kid.status = 'stopped';
    if (restartOf(kid.spec) === 'temporary') this.#forget(kid);
  }

  #forget(kid: Kid): void {
    const at = this.kids.indexOf(kid);
    if (at < 0) return;
    this.kids.splice(at, 1);
    const isStatic = this.spec.children?.some(({ id }) => id === kid.spec.id);
    if (isStatic) this.#past.set(kid.spec.id, { incarnation: kid.incarnation, past: kid.past });
  }

  #restart(kid: Kid): void {
    const from = this.#now() - (this.spec.periodMs ?? 5000);
    this.#times = [...this.#times.filter((time) => time >= from), this.#now()];
    if (this.#times.length > (this.spec.intensity ?? 1)) {
      this.quit();
      this.#ended();
      return;
    }
    const { strategy } = this.spec;
    const at = this.kids.indexOf(kid);
    if (strategy === 'one_for_one' || strategy === undefined) {
      this.#start(kid);
      return;
    }
    const group = strategy === 'one_for_all' ? [...this.kids] : this.kids.slice(at);
    for (const member of group.toReversed()) this.#stop(member);
    for (const member of group) if (this.kids.includes(member)) this.#start(member);
  }

  #considerAutoShutdown({ spec }: Kid): void {
    const mode = this.spec.autoShutdown ?? 'never';
    if (!spec.significant || mode === 'never') return;
    const isLast = !this.kids.some((kid) => kid.spec.significant && kid.status === 'running');
    if (mode === 'all_significant' && !isLast) return;
    this.quit();
    this.#ended();
  }
}
