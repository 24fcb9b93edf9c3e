/**
 * A supervisor as the OTP manual describes it, in the plainest way: no time passes while it works,
 * children start and stop at once, and it is free to be slow. Random trees are held against it.
 */
import type { AnyChildSpec, SupervisorSpec } from '../../../supervisor/index.ts';

interface Kid {
  readonly spec: AnyChildSpec;
  readonly path: string;
  status: 'running' | 'stopped';
  incarnation: number;
  nested: ReferenceSupervisor | undefined;
  readonly past: Past;
}

type Past = Map<string, { incarnation: number; past: Past }>;

export type Ended = 'normal' | 'shutdown' | 'error';

/** What a reference tree stands in. */
export interface ReferenceWorld {
  now(): number;
  /** Whether the next start of the child at this path fails; asked once for each start. */
  fails(path: string): boolean;
  /** Gets `type path` of each report. */
  tell(report: string): void;
}

const restartOf = ({ restart }: AnyChildSpec) => restart ?? 'permanent';

export class ReferenceSupervisor {
  readonly spec: SupervisorSpec;
  readonly kids: Kid[] = [];
  isUp = false;
  readonly #path: string;
  readonly #world: ReferenceWorld;
  readonly #ended: () => void;
  readonly #past: Past;
  #times: number[] = [];

  constructor(
    spec: SupervisorSpec,
    path: string,
    past: Past,
    world: ReferenceWorld,
    ended: () => void,
  ) {
    this.spec = spec;
    this.#path = path;
    this.#past = past;
    this.#world = world;
    this.#ended = ended;
  }

  get #isSimple(): boolean {
    return this.spec.strategy === 'simple_one_for_one';
  }

  /** False when a child failed, and then nothing of it is left. */
  start(): boolean {
    this.isUp = true;
    const specs = this.#isSimple ? [] : (this.spec.children ?? []);
    for (const spec of specs) this.#add(spec);
    for (const kid of this.kids)
      if (!this.#start(kid, 'start')) {
        this.quit();
        this.#world.tell(`escalation ${this.#path}`);
        return false;
      }
    return true;
  }

  /** `id:incarnation` of what runs and `id:stopped` of what does not, depth first. */
  show(): string[] {
    return this.kids.flatMap(({ path, status, incarnation, nested }) => [
      `${path}:${status === 'running' ? incarnation : status}`,
      ...(nested ? nested.show() : []),
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
    this.#world.tell(`${how === 'error' ? 'crash' : 'exit'} ${kid.path}`);
    const restart = restartOf(kid.spec);
    if (restart === 'permanent' || (restart === 'transient' && how === 'error')) this.#restart(kid);
    else {
      if (restart === 'temporary' || this.#isSimple) this.#forget(kid);
      this.#considerAutoShutdown(kid);
    }
  }

  startChild(spec: AnyChildSpec): string {
    const present = this.find(spec.id);
    if (present) return present.status === 'running' ? 'already_started' : 'already_present';
    const template = this.spec.children?.[0];
    const kid = this.#add(this.#isSimple && template ? { ...template, id: spec.id } : spec);
    if (this.#start(kid, 'start')) return 'ok';
    this.#forget(kid);
    return 'start_error';
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
    return this.#start(kid, 'start') ? 'ok' : 'start_error';
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
      path: `${this.#path}/${spec.id}`,
      status: 'stopped',
      incarnation: before?.incarnation ?? 0,
      nested: undefined,
      past: before?.past ?? new Map(),
    };
    this.kids.push(kid);
    return kid;
  }

  #start(kid: Kid, report: 'start' | 'restart'): boolean {
    kid.incarnation++;
    if (!this.#isBorn(kid)) {
      kid.nested = undefined;
      this.#world.tell(`start_error ${kid.path}`);
      return false;
    }
    kid.status = 'running';
    this.#world.tell(`${report} ${kid.path}`);
    return true;
  }

  #isBorn(kid: Kid): boolean {
    const { spec, path, past } = kid;
    if (spec.type !== 'supervisor') return !this.#world.fails(path);
    kid.nested = new ReferenceSupervisor(spec, path, past, this.#world, () =>
      this.end(spec.id, 'shutdown'),
    );
    return kid.nested.start();
  }

  #stop(kid: Kid): void {
    kid.nested?.quit();
    kid.nested = undefined;
    if (kid.status === 'running') this.#world.tell(`shutdown ${kid.path}`);
    kid.status = 'stopped';
    if (restartOf(kid.spec) === 'temporary' || this.#isSimple) this.#forget(kid);
  }

  #forget(kid: Kid): void {
    const at = this.kids.indexOf(kid);
    if (at < 0) return;
    this.kids.splice(at, 1);
    const isStatic = this.spec.children?.some(({ id }) => id === kid.spec.id);
    if (isStatic && !this.#isSimple)
      this.#past.set(kid.spec.id, { incarnation: kid.incarnation, past: kid.past });
  }

  /** Tries until the child, or its group, is up or the window is full. */
  #restart(first: Kid): void {
    for (let kid: Kid | undefined = first; kid;) {
      if (!this.#admit()) return;
      const group = this.#groupOf(kid);
      if (group.length > 1) for (const member of group.toReversed()) this.#stop(member);
      kid = group.find((one) => this.kids.includes(one) && !this.#start(one, 'restart'));
    }
  }

  #admit(): boolean {
    const from = this.#world.now() - (this.spec.periodMs ?? 5000);
    this.#times = [...this.#times.filter((time) => time >= from), this.#world.now()];
    if (this.#times.length <= (this.spec.intensity ?? 1)) return true;
    this.#world.tell(`intensity ${this.#path}`);
    this.quit();
    this.#world.tell(`escalation ${this.#path}`);
    this.#ended();
    return false;
  }

  #groupOf(kid: Kid): Kid[] {
    const { strategy } = this.spec;
    if (strategy === 'one_for_all') return [...this.kids];
    return strategy === 'rest_for_one' ? this.kids.slice(this.kids.indexOf(kid)) : [kid];
  }

  #considerAutoShutdown({ spec }: Kid): void {
    const mode = this.spec.autoShutdown ?? 'never';
    if (!spec.significant || mode === 'never') return;
    const isLast = !this.kids.some((kid) => kid.spec.significant && kid.status === 'running');
    if (mode === 'all_significant' && !isLast) return;
    this.#world.tell(`auto_shutdown ${this.#path}`);
    this.quit();
    this.#ended();
  }
}
