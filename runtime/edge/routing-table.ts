import type { Clock } from '../../machines/kernel/clock.ts';
import type { FailureKind, InFlight, Target } from './target-state.ts';
import type { UpstreamConnection } from './upstream-connection.ts';
import { AppCounters } from './counters.ts';
import { edgeError } from './errors.ts';
import { TargetState } from './target-state.ts';

export type { FailureKind, Target } from './target-state.ts';

export type UpstreamTarget = TargetState<UpstreamConnection>;

/** One app's targets, and where the round is. */
export interface AppRoute {
  readonly app: string;
  readonly counters: AppCounters;
  targets: readonly UpstreamTarget[];
  cursor: number;
}

export interface DrainOptions {
  /** How long requests under way may take to end by themselves. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** Aborting stops the waiting, rejecting with its reason; the target stays draining. */
  readonly signal?: AbortSignal;
}

export interface TargetSnapshot extends Target {
  readonly isAvailable: boolean;
  readonly isDraining: boolean;
  readonly inFlight: number;
  readonly idleConnections: number;
  readonly failuresInRow: number;
}

export interface RouteSnapshot {
  readonly app: string;
  readonly targets: readonly TargetSnapshot[];
}

export interface RoutingTableOptions {
  /** Apps with counters at once; default 1,024. */
  readonly appsMax?: number;
  /** Targets of one app; default 1,024. */
  readonly targetsMax?: number;
}

/** `failuresInRow` counts connections to the instance that failed since its last response. */
export type FailureListener = (instance: string, kind: FailureKind, failuresInRow: number) => void;
export type TargetListener = (instance: string) => void;

/**
 * Which instances serve which app. Actors write it; the request path reads it and reports back
 * what failed. Picking a target and counting its request is one synchronous step, so a drain that
 * begins afterwards waits for that request.
 */
export class RoutingTable {
  readonly #routes = new Map<string, AppRoute>();
  readonly #targets = new Map<string, UpstreamTarget>();
  readonly #failureListeners = new Set<FailureListener>();
  readonly #recoveryListeners = new Set<TargetListener>();
  readonly #publishListeners = new Set<TargetListener>();
  readonly #appsMax: number;
  readonly #targetsMax: number;

  constructor(options: RoutingTableOptions = {}) {
    this.#appsMax = options.appsMax ?? 1024;
    this.#targetsMax = options.targetsMax ?? 1024;
  }

  /**
   * Replaces an app's targets as a whole; `null` makes the app unknown (404), `[]` leaves it known
   * without a target (503). Requests to targets that are gone go on. Idempotent.
   * @throws MESH_ERR_EDGE_APPS_LIMIT beyond `appsMax` apps or `targetsMax` targets.
   */
  publish(app: string, targets: readonly Target[] | null): void {
    const route = this.#routes.get(app);
    const before = route?.targets ?? [];
    if (targets === null) {
      this.#routes.delete(app);
      for (const state of before) this.#remove(state);
      return;
    }
    this.#checkLimits(app, targets.length);
    const after = targets.map((target) => this.#stateOf(target));
    if (route) route.targets = after;
    else this.#routes.set(app, { app, counters: new AppCounters(), targets: after, cursor: 0 });
    for (const state of before) if (!after.includes(state)) this.#remove(state);
    for (const state of after)
      if (!before.includes(state))
        for (const listener of this.#publishListeners) listener(state.target.instance);
  }

  /**
   * Takes a target out at once: it is never picked again. Resolves when its requests are done; at
   * the deadline it ends the rest (WebSockets get a close frame and a short grace) and resolves
   * with how many those were. An unknown instance has nothing to drain.
   */
  drain(instance: string, options: DrainOptions): Promise<{ cancelled: number }> {
    const state = this.#targets.get(instance);
    if (!state) return Promise.resolve({ cancelled: 0 });
    state.isDraining = true;
    state.closeIdle();
    const { signal, clock } = options;
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      let cancelled = 0;
      const timer = clock.setTimeout(() => {
        cancelled = state.inFlight.size;
        for (const request of state.inFlight) request.cancel();
      }, options.deadlineMs);
      const abandon = (): void => {
        clock.clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', abandon, { once: true });
      state.whenIdle(() => {
        clock.clearTimeout(timer);
        signal?.removeEventListener('abort', abandon);
        resolve({ cancelled });
      });
    });
  }

  /** Requests under way at an instance, WebSockets included; 0 for an unknown one. */
  inFlight(instance: string): number {
    return this.#targets.get(instance)?.inFlight.size ?? 0;
  }

  /** Whether an instance is published, or still has requests under way. */
  has(instance: string): boolean {
    return this.#targets.has(instance);
  }

  /** Calls `listener` when an instance may first be picked. Returns how to stop that. */
  onTargetPublished(listener: TargetListener): () => void {
    this.#publishListeners.add(listener);
    return () => this.#publishListeners.delete(listener);
  }

  /** Calls `listener` for each connection to an instance that failed. Returns how to stop that. */
  onTargetFailure(listener: FailureListener): () => void {
    this.#failureListeners.add(listener);
    return () => this.#failureListeners.delete(listener);
  }

  /** Calls `listener` when an instance responds again after failures. Returns how to stop that. */
  onTargetRecovery(listener: TargetListener): () => void {
    this.#recoveryListeners.add(listener);
    return () => this.#recoveryListeners.delete(listener);
  }

  /** Takes an instance out of, or back into, the round. It does nothing to an unknown one. */
  setAvailable(instance: string, available: boolean): void {
    const state = this.#targets.get(instance);
    if (!state || state.isAvailable === available) return;
    state.isAvailable = available;
    if (available) return;
    state.closeIdle();
    const route = this.#routes.get(state.target.app);
    if (route) route.counters.ejections++;
  }

  snapshot(): readonly RouteSnapshot[] {
    return [...this.#routes.values()].map(({ app, targets }) => ({
      app,
      targets: targets.map((state) => ({
        ...state.target,
        isAvailable: state.isAvailable,
        isDraining: state.isDraining,
        inFlight: state.inFlight.size,
        idleConnections: state.idle.length,
        failuresInRow: state.failuresInRow,
      })),
    }));
  }

  /** The routes, for the counters. */
  routes(): Iterable<AppRoute> {
    return this.#routes.values();
  }

  /** All targets that may have connections, also those that are no longer published. */
  targets(): Iterable<UpstreamTarget> {
    return this.#targets.values();
  }

  routeOf(app: string): AppRoute | undefined {
    return this.#routes.get(app);
  }

  /**
   * The next target in the round and, from now on, with this request under way; `except` only if
   * there is no other and `mayRepeat`. When all are ejected they are tried anyway: better a likely
   * failure than a certain one.
   */
  begin(
    route: AppRoute,
    request: InFlight,
    except?: UpstreamTarget,
    mayRepeat = false,
  ): UpstreamTarget | undefined {
    let state = this.#next(route, except, false) ?? this.#next(route, except, true);
    if (!state && except && mayRepeat) state = this.#next(route, undefined, true);
    state?.inFlight.add(request);
    return state;
  }

  /** Ends what `begin` began. */
  end(state: UpstreamTarget, request: InFlight): void {
    state.end(request);
    if (state.isRemoved && state.inFlight.size === 0) this.#forget(state);
  }

  failed(state: UpstreamTarget, kind: FailureKind): void {
    state.failuresInRow++;
    for (const listener of this.#failureListeners)
      listener(state.target.instance, kind, state.failuresInRow);
  }

  responded(state: UpstreamTarget): void {
    if (state.failuresInRow === 0) return;
    state.failuresInRow = 0;
    for (const listener of this.#recoveryListeners) listener(state.target.instance);
  }

  #next(
    route: AppRoute,
    except: UpstreamTarget | undefined,
    evenEjected: boolean,
  ): UpstreamTarget | undefined {
    const { targets } = route;
    for (let ahead = 1; ahead <= targets.length; ahead++) {
      const at = (route.cursor + ahead) % targets.length;
      const state = targets[at] as UpstreamTarget;
      if (state.isDraining || state === except || !(state.isAvailable || evenEjected)) continue;
      // A second try does not move the round: else every first try could meet the same bad target.
      if (!except) route.cursor = at;
      return state;
    }
    return undefined;
  }

  /** The living state of a target; a changed address under the same name is another target. */
  #stateOf(target: Target): UpstreamTarget {
    const known = this.#targets.get(target.instance);
    const { host, port, app, tls } = target;
    const isSame =
      known?.target.host === host &&
      known.target.port === port &&
      known.target.app === app &&
      known.target.tls === tls;
    if (known && isSame && !known.isRemoved) return known;
    const state: UpstreamTarget = new TargetState(target);
    this.#targets.set(target.instance, state);
    return state;
  }

  #remove(state: UpstreamTarget): void {
    state.isRemoved = true;
    state.closeIdle();
    if (state.inFlight.size === 0) this.#forget(state);
  }

  #forget(state: UpstreamTarget): void {
    if (this.#targets.get(state.target.instance) === state)
      this.#targets.delete(state.target.instance);
  }

  #checkLimits(app: string, targets: number): void {
    if (targets > this.#targetsMax)
      throw edgeError(
        'MESH_ERR_EDGE_APPS_LIMIT',
        `Publishing ${targets} targets of ${app}: an app may have ${this.#targetsMax}.`,
      );
    if (!this.#routes.has(app) && this.#routes.size >= this.#appsMax)
      throw edgeError(
        'MESH_ERR_EDGE_APPS_LIMIT',
        `Publishing ${app}: ${this.#routes.size} apps are routed already.`,
      );
  }
}
