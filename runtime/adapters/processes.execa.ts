import type { Ownership, Processes } from '../../actors/workload/ports/process.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import type { ProcessIdentity } from '../../machines/workload/instance-record.ts';
import { ExitWatcher } from '../spawn/exit-watcher.ts';
import { inheritedFds } from '../spawn/inherited-fds.ts';
import { launch } from '../spawn/launch.ts';
import { requireProc } from '../spawn/proc.ts';
import { confirm, findStrays, membersOf, reapGroup, signalGroup } from '../spawn/process-group.ts';
import { dropOwned, loopbackListeners } from '../spawn/tcp-listeners.ts';

/** How long `reap` tries before it rejects. */
export const REAP_TIMEOUT_MS = 5_000;

export interface ProcessesOptions {
  readonly clock: Clock;
  /** Default REAP_TIMEOUT_MS. */
  readonly reapTimeoutMs?: number;
}

/**
 * OS processes of Linux: execa starts them, /proc tells them apart. Processes that an earlier runtime
 * started are treated as own ones, except that nobody learns their exit code. Beyond the port's
 * errors: MESH_ERR_PROCESS_PLATFORM_UNSUPPORTED at once, MESH_ERR_PROCESS_ARGUMENTS_REFUSED and
 * MESH_ERR_PROCESS_SETPRIV_MISSING by `spawn`, MESH_ERR_PROCESS_SIGNAL_FAILED by `signal`,
 * MESH_ERR_PROCESS_GROUP_REMAINS by `reap`.
 */
export function createProcesses(options: ProcessesOptions): Processes {
  requireProc();
  const { clock, reapTimeoutMs: timeoutMs = REAP_TIMEOUT_MS } = options;
  const masked = inheritedFds();
  const exits = new ExitWatcher(clock);
  return {
    spawn: (spec, signal) =>
      launch(spec, {
        clock,
        signal,
        masked,
        onStarted: (identity, child) => exits.own(identity, child),
      }),
    isAlive: (identity) => Promise.resolve(confirm(identity) !== null),
    watchExit: (identity, listener) => exits.watch(identity, listener),
    async signal(identity, signal) {
      return signalGroup(identity, signal);
    },
    reap: (identity) =>
      reapGroup(identity, { clock, timeoutMs, endedAtTicks: exits.endedAtTicks(identity) }),
    listenerOf: (identity, port) => ownerOf(identity, port, exits),
    strays: findStrays,
  };
}

async function ownerOf(
  identity: ProcessIdentity,
  port: number,
  exits: ExitWatcher,
): Promise<Ownership> {
  const inodes = new Set(loopbackListeners(port));
  if (inodes.size === 0) return 'none';
  // Nearly always the leader itself listens, and the other processes need not be looked at.
  if (confirm(identity) !== null) dropOwned(identity.pid, inodes);
  if (inodes.size === 0) return 'own';
  for (const { pid } of await membersOf(identity, exits.endedAtTicks(identity)))
    dropOwned(pid, inodes);
  return inodes.size === 0 ? 'own' : 'foreign';
}
