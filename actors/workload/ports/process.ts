import type { ProcessExit, ProcessIdentity } from '../../../machines/workload/instance-record.ts';
import type { Unsubscribe } from './fabric.ts';

/** What to execute for one instance, and with what. */
export interface ProcessSpec {
  readonly instance: string;
  /** A path, or a program found on PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; nothing of the runtime's own is added but what is named here. */
  readonly env: Readonly<Record<string, string>>;
  /** Working folder. */
  readonly cwd: string;
  /** Becomes MESH_TOKEN in the environment. */
  readonly token: string;
  /** Both streams go here, appended; it outlives the runtime. */
  readonly logPath: string;
  /**
   * `kill`: the process ends with the runtime, however that ends. Linux does that for this process
   * alone (PR_SET_PDEATHSIG); descendants that outlive it are strays until the next runtime starts.
   */
  readonly onRuntimeDeath: 'keep' | 'kill';
}

export type Ownership = 'own' | 'foreign' | 'none';

/** OS processes, each in its own process group and session. */
export interface Processes {
  /**
   * Resolves when the program was really executed. MESH_ERR_PROCESS_PROGRAM_MISSING,
   * MESH_ERR_PROCESS_NOT_EXECUTABLE, MESH_ERR_PROCESS_SPAWN_FAILED.
   */
  spawn(spec: ProcessSpec, signal?: AbortSignal): Promise<ProcessIdentity>;
  /** True only for that very process, and not for its zombie. */
  isAlive(identity: ProcessIdentity): Promise<boolean>;
  /**
   * Calls once, at most 50 ms after the end of the process, also for one that is not our child; at
   * once (next turn) when it is gone already.
   */
  watchExit(identity: ProcessIdentity, listener: (exit: ProcessExit) => void): Unsubscribe;
  /** To the whole process group; false when that process is gone. A reused pid is never hit. */
  signal(identity: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): Promise<boolean>;
  /** Kills what is left of the process group once its leader ended. Idempotent. */
  reap(identity: ProcessIdentity): Promise<void>;
  /** Who listens on that TCP port of the loopback: this process group, somebody else, nobody. */
  listenerOf(identity: ProcessIdentity, port: number): Promise<Ownership>;
  /** Living processes whose environment has MESH_HOME_ID = `homeId` and a token not in `known`. */
  strays(homeId: string, known: ReadonlySet<string>): Promise<readonly ProcessIdentity[]>;
}

/** Finds ports for instances. */
export interface PortPicker {
  /** A TCP port of 127.0.0.1 that is free now and was not handed out in the last minute. */
  pick(): Promise<number>;
}

export type ProbeResult =
  | { readonly ok: true; readonly status: 200 }
  | {
      readonly ok: false;
      readonly status: number | null;
      readonly message: string;
      /**
       * Over TLS: the asking side has no valid certificate (`own_identity`), or the service did not
       * show one that counts (`identity`). Whether it is healthy was not found out.
       */
      readonly fault?: 'own_identity' | 'identity';
    };

/** Where to ask for health, and how long to wait for it. */
export interface ProbeRequest {
  readonly port: number;
  /** The service speaks TLS, with the mesh certificate of this app. */
  readonly tlsApp?: string;
  readonly path: string;
  readonly timeoutMs: number;
  /**
   * For a process that is starting: while nobody listens yet, connecting is tried again for so long,
   * so that a listener is met within about 1 ms or 2 % of the wait. Default 0: refused at once.
   */
  readonly connectWithinMs?: number;
}

/** Asks a service whether it is healthy. */
export interface HealthProbe {
  /** One GET on 127.0.0.1. Never rejects but on abort; ends within `timeoutMs`. */
  probe(request: ProbeRequest, signal: AbortSignal): Promise<ProbeResult>;
}

/** Where instances write, by app and instance. */
export interface LogFiles {
  /** Makes the folder (0700), and gives the path for an instance's log. */
  prepare(app: string, instance: string): Promise<string>;
  /** The last `lines` lines, over rotated files where needed; each cut at 1,000 characters. */
  tail(app: string, instance: string, lines: number): Promise<readonly string[]>;
  /** Rotates what is over its size; called by the agent's heartbeat. */
  rotate(app: string, instance: string): Promise<void>;
  /** Removes the oldest logs of instances that are not in `keep`, so that few of the dead stay. */
  prune(app: string, keep: ReadonlySet<string>): Promise<void>;
  /** Removes all logs of an app that is forgotten. Idempotent. */
  discard(app: string): Promise<void>;
}
