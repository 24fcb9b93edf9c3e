import type {
  HealthProbe,
  Ownership,
  PortPicker,
  ProbeResult,
  Processes,
  ProcessSpec,
} from '../../actors/workload/ports/process.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import type { ProcessExit, ProcessIdentity } from '../../machines/workload/instance-record.ts';
import { processError } from '../../machines/workload/process-errors.ts';
import { behaviourOf } from './sample-modes.ts';
import type { SampleBehaviour } from './sample-modes.ts';

const BOOT_ID = '00000000-0000-4000-8000-000000000001';
/** As the real adapter: how late the end of an adopted process is seen at most. */
const ADOPTED_EXIT_MS = 20;
/** Between the end of a child and the turn in which its event comes. */
const OWN_EXIT_MS = 1;
/** Between two connects of a probe that waits for a listener. */
const CONNECT_PAUSE_MS = 1;

/** Any code that the real adapter rejects a spawn with. */
export type SpawnRefusal = Parameters<typeof processError>[0];

interface FakeProcess {
  readonly identity: ProcessIdentity;
  readonly spec: ProcessSpec;
  readonly behaviour: SampleBehaviour;
  readonly startedAtMs: number;
  /** The leader of its group; itself for an instance and for what escaped. */
  readonly group: number;
  /** The runtime that started it; null for descendants. */
  readonly parent: object | null;
  exit: ProcessExit | null;
}

/** How a machine's processes look from outside: what an operator or another program can do. */
export class FakeMachine {
  readonly #clock: Clock;
  readonly #processes = new Map<number, FakeProcess>();
  readonly #watchers = new Set<() => void>();
  readonly #refusals = new Map<string, SpawnRefusal>();
  readonly #foreignPorts = new Set<number>();
  #lastPid = 100;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** Everything that runs, instances and their descendants, oldest first. */
  get running(): readonly { readonly identity: ProcessIdentity; readonly spec: ProcessSpec }[] {
    return [...this.#processes.values()].filter(({ exit }) => exit === null);
  }

  /** Spawning that command is refused from now on; null takes it back. */
  refuse(command: string, code: SpawnRefusal | null): void {
    if (code === null) this.#refusals.delete(command);
    else this.#refusals.set(command, code);
  }

  /** Another program listens on that port of the loopback, or leaves it. */
  occupy(port: number, isTaken = true): void {
    if (isTaken) this.#foreignPorts.add(port);
    else this.#foreignPorts.delete(port);
  }

  /** Ends one process as the kernel would, its descendants live on. */
  end(pid: number, exit: ProcessExit = { exitCode: null, signal: 'SIGKILL' }): void {
    const process = this.#processes.get(pid);
    if (!process || process.exit !== null) return;
    process.exit = exit;
    for (const wake of this.#watchers) wake();
  }

  /** The pid of a process that ended goes to a stranger, who runs for ever. */
  reusePid(identity: ProcessIdentity): void {
    const process = this.#processes.get(identity.pid);
    if (process?.exit === null) throw new Error(`Process ${identity.pid} still runs.`);
    this.#add(identity.pid, strangerSpec, behaviourOf('no_listen'), identity.pid, null);
  }

  /** The runtime is gone: what was to end with it ends. Give the next one a new `processes()`. */
  endRuntime(runtime: object): void {
    for (const { identity, spec, parent } of this.running.map((row) => this.#at(row)))
      if (parent === runtime && spec.onRuntimeDeath === 'kill') this.end(identity.pid);
  }

  /** The port as one runtime has it; children of another are adopted ones. */
  processes(): Processes {
    const runtime: Processes = {
      spawn: async (spec, signal) => {
        signal?.throwIfAborted();
        const refusal = this.#refusals.get(spec.command);
        if (refusal !== undefined)
          throw processError(refusal, `Starting ${spec.instance} failed, as it was told to.`);
        return this.#start(spec, runtime).identity;
      },
      isAlive: async (identity) => this.#confirm(identity) !== null,
      watchExit: (identity, listener) => this.#watch(identity, listener, runtime),
      signal: async (identity, signal) => this.#signal(identity, signal),
      reap: async (identity) => this.#reap(identity),
      listenerOf: async (identity, port) => this.#listenerOf(identity, port),
      strays: async (homeId, known) =>
        [...this.#processes.values()]
          .filter(({ exit, spec }) => exit === null && spec.env['MESH_HOME_ID'] === homeId)
          .filter(({ spec }) => !known.has(spec.token))
          .map(({ identity }) => identity),
    };
    return runtime;
  }

  /** Answers as the sample service that listens on the port would. */
  healthProbe(): HealthProbe {
    return {
      probe: async ({ port, connectWithinMs = 0 }, signal) => {
        const deadline = this.#clock.monotonicNow() + connectWithinMs;
        for (;;) {
          signal.throwIfAborted();
          if (this.#foreignPorts.has(port)) return { ok: true, status: 200 };
          const [listener] = this.#listenersOn(port);
          if (listener !== undefined) return this.#healthOf(listener);
          if (this.#clock.monotonicNow() >= deadline) return REFUSED;
          await this.#pause(signal);
        }
      },
    };
  }

  /** Ports from 20000 on, each once; taken ones are left out. */
  portPicker(): PortPicker {
    let last = 19_999;
    return {
      pick: async () => {
        do last++;
        while (this.#foreignPorts.has(last) || this.#listenersOn(last).length > 0);
        return last;
      },
    };
  }

  #pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.setTimeout(resolve, CONNECT_PAUSE_MS);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #at({ identity }: { readonly identity: ProcessIdentity }): FakeProcess {
    const process = this.#processes.get(identity.pid);
    if (!process) throw new Error(`There is no process ${identity.pid}.`);
    return process;
  }

  #add(
    pid: number,
    spec: ProcessSpec,
    behaviour: SampleBehaviour,
    group: number,
    parent: object | null,
  ): FakeProcess {
    const startedAtMs = this.#clock.monotonicNow();
    // A pid is used again within one tick here, so the count of starts is part of it.
    const startTicks = Math.floor(startedAtMs / 10) * 1_000 + (++this.#starts % 1_000);
    const identity = { pid, startTicks, bootId: BOOT_ID, token: spec.token };
    const process = { identity, spec, behaviour, startedAtMs, group, parent, exit: null };
    this.#processes.set(pid, process);
    return process;
  }

  #starts = 0;

  #start(spec: ProcessSpec, runtime: object): FakeProcess {
    const behaviour = behaviourOf(spec.env['SAMPLE_MODE'] ?? '');
    const pid = ++this.#lastPid;
    const process = this.#add(pid, spec, behaviour, pid, runtime);
    for (const place of behaviour.descendants) {
      const own = ++this.#lastPid;
      const group = place === 'inside' ? pid : own;
      this.#add(own, spec, behaviourOf('no_listen,ignore_sigterm'), group, null);
    }
    const { exitAfterMs, exitCode } = behaviour;
    if (exitAfterMs !== null)
      this.#clock.setTimeout(() => this.end(pid, { exitCode, signal: null }), exitAfterMs);
    return process;
  }

  #confirm(identity: ProcessIdentity): FakeProcess | null {
    const process = this.#processes.get(identity.pid);
    if (process === undefined || process.exit !== null) return null;
    const { startTicks, bootId } = process.identity;
    return startTicks === identity.startTicks && bootId === identity.bootId ? process : null;
  }

  #watch(
    identity: ProcessIdentity,
    listener: (exit: ProcessExit) => void,
    runtime: object,
  ): () => void {
    let isDone = false;
    const watched = this.#processes.get(identity.pid);
    const isOwn =
      watched?.parent === runtime && watched.identity.startTicks === identity.startTicks;
    const look = (): void => {
      if (this.#confirm(identity) !== null) return;
      this.#watchers.delete(look);
      const exit = (isOwn ? watched.exit : null) ?? { exitCode: null, signal: null };
      const tell = (): void => {
        if (!isDone) listener(exit);
        isDone = true;
      };
      this.#clock.setTimeout(tell, isAtOnce ? 0 : isOwn ? OWN_EXIT_MS : ADOPTED_EXIT_MS);
    };
    let isAtOnce = true;
    this.#watchers.add(look);
    look();
    isAtOnce = false;
    return () => {
      isDone = true;
      this.#watchers.delete(look);
    };
  }

  #signal(identity: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): boolean {
    const target = this.#confirm(identity);
    if (target === null) return false;
    const isLeader = target.group === identity.pid;
    for (const process of this.#processes.values()) {
      const { pid } = process.identity;
      if (
        process.exit !== null ||
        !(isLeader ? process.group === identity.pid : process === target)
      )
        continue;
      const { endsAfterMs } = process.behaviour;
      if (signal === 'SIGKILL') this.end(pid);
      else if (endsAfterMs !== null)
        this.#clock.setTimeout(() => this.#endIfSame(process), endsAfterMs);
    }
    return true;
  }

  #endIfSame({ identity }: FakeProcess): void {
    if (this.#confirm(identity) !== null) this.end(identity.pid, { exitCode: 0, signal: null });
  }

  #reap(identity: ProcessIdentity): void {
    if (this.#confirm(identity) !== null) return;
    const isReused = this.#processes.get(identity.pid)?.exit === null;
    for (const process of this.#processes.values()) {
      const isMember = !isReused && process.group === identity.pid;
      if (process.exit === null && (isMember || process.spec.token === identity.token))
        this.end(process.identity.pid);
    }
  }

  #listenersOn(port: number): FakeProcess[] {
    const nowMs = this.#clock.monotonicNow();
    return [...this.#processes.values()].filter(({ exit, spec, behaviour, startedAtMs }) => {
      const { listensAfterMs, otherPort } = behaviour;
      if (exit !== null || listensAfterMs === null) return false;
      return (
        (otherPort ?? Number(spec.env['PORT'])) === port && nowMs - startedAtMs >= listensAfterMs
      );
    });
  }

  #listenerOf(identity: ProcessIdentity, port: number): Ownership {
    if (this.#foreignPorts.has(port)) return 'foreign';
    const [listener] = this.#listenersOn(port);
    if (listener === undefined) return 'none';
    return listener.group === identity.pid && listener.spec.token === identity.token
      ? 'own'
      : 'foreign';
  }

  #healthOf({ behaviour, startedAtMs }: FakeProcess): ProbeResult {
    const { healthyAfterMs } = behaviour;
    const ageMs = this.#clock.monotonicNow() - startedAtMs;
    return healthyAfterMs !== null && ageMs >= healthyAfterMs
      ? { ok: true, status: 200 }
      : { ok: false, status: 503, message: 'HTTP 503' };
  }
}

const REFUSED: ProbeResult = { ok: false, status: null, message: 'connection refused' };

const strangerSpec: ProcessSpec = {
  instance: 'stranger',
  command: '/bin/stranger',
  args: [],
  env: {},
  cwd: '/',
  token: '',
  logPath: '/dev/null',
  onRuntimeDeath: 'keep',
};
