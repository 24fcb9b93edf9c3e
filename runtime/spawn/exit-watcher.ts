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

export interface ExitWatcher {
  /** Takes the exit of our own child from its event. */
  own(identity: ProcessIdentity, child: ChildProcess): void;
  /** As `Processes.watchExit`. */
  watch(identity: ProcessIdentity, listener: (exit: ProcessExit) => void): Unsubscribe;
  /** When the end of that process was seen, on the scale of start ticks; null when it was not. */
  endedAtTicks(identity: ProcessIdentity): number | null;
}

const keyOf = (identity: ProcessIdentity): string =>
  `${identity.bootId}/${identity.pid}/${identity.startTicks}`;

export function createExitWatcher(clock: Clock): ExitWatcher {
  const children = new Map<string, ChildProcess>();
  const watched = new Map<string, Watched>();
  const ended = new Map<string, Ended>();
  const buffer = Buffer.alloc(STAT_BYTES_MAX);
  let timer: TimerId = null;

  const conclude = (key: string, exit: ProcessExit): void => {
    ended.set(key, { exit, ticks: uptimeTicks() });
    if (ended.size > ENDED_MAX) ended.delete(ended.keys().next().value ?? '');
    const entry = watched.get(key);
    if (!entry) return;
    forget(key, entry);
    for (const listener of entry.listeners) clock.setTimeout(() => call(entry, listener, exit), 0);
  };

  const call = (entry: Watched, listener: (exit: ProcessExit) => void, exit: ProcessExit): void => {
    if (entry.listeners.delete(listener)) listener(exit);
  };

  const forget = (key: string, entry: Watched): void => {
    watched.delete(key);
    if (entry.fd !== null) closeSync(entry.fd);
    entry.fd = null;
  };

  const look = (): void => {
    timer = null;
    let polled = 0;
    for (const [key, entry] of watched) {
      if (children.has(key)) continue;
      if (hasEnded(entry, buffer)) conclude(key, UNSEEN_EXIT);
      else polled++;
    }
    if (polled > 0) timer = clock.setTimeout(look, EXIT_POLL_MS);
  };

  return {
    own(identity, child) {
      const key = keyOf(identity);
      children.set(key, child);
      // Only those who wait for its end hold the runtime open; it may outlive the runtime.
      child.unref();
      child.once('exit', (exitCode, signal) => {
        children.delete(key);
        conclude(key, { exitCode, signal });
      });
    },
    watch(identity, listener) {
      const key = keyOf(identity);
      const seen = ended.get(key);
      if (seen) {
        const entry: Watched = { identity, listeners: new Set([listener]), fd: null };
        clock.setTimeout(() => call(entry, listener, seen.exit), 0);
        return () => void entry.listeners.delete(listener);
      }
      const child = children.get(key);
      const isOwn = child !== undefined;
      child?.ref();
      const entry = watched.get(key) ?? { identity, listeners: new Set(), fd: null };
      if (!watched.has(key) && !isOwn) entry.fd = orGone(() => pin(identity));
      watched.set(key, entry);
      // Each subscription is its own, also when one function is given twice.
      const own = (exit: ProcessExit): void => listener(exit);
      entry.listeners.add(own);
      if (!isOwn) timer ??= clock.setTimeout(look, EXIT_POLL_MS);
      if (!isOwn && hasEnded(entry, buffer)) conclude(key, UNSEEN_EXIT);
      return () => {
        entry.listeners.delete(own);
        if (entry.listeners.size > 0 || watched.get(key) !== entry) return;
        forget(key, entry);
        children.get(key)?.unref();
      };
    },
    endedAtTicks: (identity) => ended.get(keyOf(identity))?.ticks ?? null,
  };
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
