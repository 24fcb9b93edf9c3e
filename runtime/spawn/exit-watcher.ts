/**
 * Notices ends of processes: of our own children by the event of Node, of adopted ones by looking at
 * /proc. One timer serves all of them.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import type { Unsubscribe } from '../../actors/workload/ports/fabric.ts';
import type { Clock, TimerId } from '../../machines/kernel/clock.ts';
import type { ProcessExit, ProcessIdentity } from '../../machines/workload/instance-record.ts';
import { isRunning, orGone, parseStat, readBootId, readStat, uptimeTicks } from './proc.ts';
import type { ProcStat } from './proc.ts';

/** How often processes that are not our children are looked at; the port promises 50 ms. */
export const EXIT_POLL_MS = 20;
/** Ends that are remembered for those who ask late; the oldest are dropped. */
const ENDED_MAX = 1024;
const STAT_BYTES_MAX = 1024;

/** Signals and codes are known for own children only. */
const UNSEEN_EXIT: ProcessExit = { exitCode: null, signal: null };

interface Watched {
  readonly identity: ProcessIdentity;
  readonly listeners: Set<(exit: ProcessExit) => void>;
  /** Open on /proc/PID/stat: bound to that process, it fails with ESRCH even if the pid is reused. */
  fd: number | null;
}

interface Ended {
  readonly exit: ProcessExit;
  readonly ticks: number;
}

const keyOf = (identity: ProcessIdentity): string =>
  `${identity.bootId}/${identity.pid}/${identity.startTicks}`;

/** One for each adapter. What it polls and remembers is bounded by who watches and by ENDED_MAX. */
export class ExitWatcher {
  readonly #clock: Clock;
  readonly #children = new Map<string, ChildProcess>();
  readonly #watched = new Map<string, Watched>();
  readonly #ended = new Map<string, Ended>();
  readonly #buffer = Buffer.alloc(STAT_BYTES_MAX);
  #timer: TimerId = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the exit of our own child from its event. */
  own(identity: ProcessIdentity, child: ChildProcess): void {
    const key = keyOf(identity);
    this.#children.set(key, child);
    // Only those who wait for its end hold the runtime open; it may outlive the runtime.
    child.unref();
    child.once('exit', (exitCode, signal) => {
      this.#children.delete(key);
      this.#conclude(key, { exitCode, signal });
    });
  }

  /** As `Processes.watchExit`. */
  watch(identity: ProcessIdentity, listener: (exit: ProcessExit) => void): Unsubscribe {
    const key = keyOf(identity);
    // Each subscription is its own, also when one function is given twice.
    const own = (exit: ProcessExit): void => listener(exit);
    const entry = this.#watched.get(key) ?? { identity, listeners: new Set(), fd: null };
    entry.listeners.add(own);
    const seen = this.#ended.get(key);
    if (seen) this.#tell(entry, seen.exit);
    else if (!this.#watched.has(key)) this.#begin(key, entry);
    return () => {
      entry.listeners.delete(own);
      if (entry.listeners.size > 0 || this.#watched.get(key) !== entry) return;
      this.#forget(key, entry);
      this.#children.get(key)?.unref();
    };
  }

  /** When the end of that process was seen, on the scale of start ticks; null when it was not. */
  endedAtTicks(identity: ProcessIdentity): number | null {
    return this.#ended.get(keyOf(identity))?.ticks ?? null;
  }

  #begin(key: string, entry: Watched): void {
    this.#watched.set(key, entry);
    const child = this.#children.get(key);
    if (child) {
      child.ref();
      return;
    }
    entry.fd = orGone(() => pin(entry.identity));
    if (this.#timer === null) this.#arm();
    if (hasEnded(entry, this.#buffer)) this.#conclude(key, UNSEEN_EXIT);
  }

  #look(): void {
    this.#timer = null;
    let polled = 0;
    for (const [key, entry] of this.#watched) {
      if (this.#children.has(key)) continue;
      if (hasEnded(entry, this.#buffer)) this.#conclude(key, UNSEEN_EXIT);
      else polled++;
    }
    if (polled > 0) this.#arm();
  }

  #arm(): void {
    this.#timer = this.#clock.setTimeout(() => this.#look(), EXIT_POLL_MS);
  }

  #conclude(key: string, exit: ProcessExit): void {
    this.#ended.set(key, { exit, ticks: uptimeTicks() });
    if (this.#ended.size > ENDED_MAX) this.#ended.delete(this.#ended.keys().next().value ?? '');
    const entry = this.#watched.get(key);
    if (!entry) return;
    this.#forget(key, entry);
    this.#tell(entry, exit);
  }

  /** In the next turn, those who still watch then. */
  #tell({ listeners }: Watched, exit: ProcessExit): void {
    for (const listener of listeners)
      this.#clock.setTimeout(() => {
        if (listeners.delete(listener)) listener(exit);
      }, 0);
  }

  #forget(key: string, entry: Watched): void {
    this.#watched.delete(key);
    if (entry.fd !== null) closeSync(entry.fd);
    entry.fd = null;
  }
}

function pin(identity: ProcessIdentity): number | null {
  try {
    return openSync(`/proc/${identity.pid}/stat`, 'r');
  } catch (error) {
    // Without a descriptor to spare, the path is read at each look instead.
    if (isOutOfDescriptors(error)) return null;
    throw error;
  }
}

function isOutOfDescriptors(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

function hasEnded({ identity, fd }: Watched, buffer: Buffer): boolean {
  if (identity.bootId !== readBootId()) return true;
  const stat = fd === null ? readStat(identity.pid) : orGone(() => readPinned(fd, buffer));
  return stat === null || stat.startTicks !== identity.startTicks || !isRunning(stat);
}

function readPinned(fd: number, buffer: Buffer): ProcStat | null {
  const size = readSync(fd, buffer, 0, buffer.length, 0);
  return parseStat(buffer.toString('latin1', 0, size));
}
