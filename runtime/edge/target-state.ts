/** One instance that takes, or took, traffic. */
export interface Target {
  readonly instance: string;
  readonly app: string;
  readonly host: string;
  readonly port: number;
  /** It speaks TLS, and shows the mesh certificate of its app. */
  readonly tls?: 'mesh';
}

/** A request under way, as its target knows it. */
export interface InFlight {
  /** Ends it now, or within the close grace if it is a WebSocket. */
  cancel(): void;
}

/** A connection that no request uses, as its target keeps it. */
export interface IdleUpstream {
  /** Milliseconds of the monotonic clock after which it must not be used again. */
  readonly idleUntilMs: number;
  close(): void;
}

export type FailureKind = 'connect' | 'reset' | 'timeout';

/** What the table knows of one target: its requests, its idle connections, whether it is picked. */
export class TargetState<Idle extends IdleUpstream = IdleUpstream> {
  readonly target: Target;
  readonly authority: string;
  readonly inFlight = new Set<InFlight>();
  /** A stack: the connection used last is the least likely to have been closed meanwhile. */
  readonly idle: Idle[] = [];
  /** Set by the target's actor; a target that is not is picked only when all are not. */
  isAvailable = true;
  /** Never picked again. */
  isDraining = false;
  /** No longer published; forgotten once its last request ends. */
  isRemoved = false;
  /** Connections that failed since the last response. */
  failuresInRow = 0;
  #whenIdle: (() => void)[] = [];

  constructor(target: Target) {
    this.target = target;
    const host = target.host.includes(':') ? `[${target.host}]` : target.host;
    this.authority = `${host}:${target.port}`;
  }

  get keepsIdle(): boolean {
    return !this.isDraining && !this.isRemoved;
  }

  closeIdle(): void {
    for (const upstream of this.idle.splice(0)) upstream.close();
  }

  /** Calls back once no request is under way; at once if there is none. */
  whenIdle(callback: () => void): void {
    if (this.inFlight.size === 0) callback();
    else this.#whenIdle.push(callback);
  }

  end(request: InFlight): void {
    this.inFlight.delete(request);
    if (this.inFlight.size > 0 || this.#whenIdle.length === 0) return;
    for (const callback of this.#whenIdle.splice(0)) callback();
  }
}
