/**
 * Who belongs to an instance, and how it is ended. A group or session id cannot be reused while one
 * member lives, but the pid of a dead leader can; so every signal first proves whom it will reach.
 */
import type { Clock } from '../../machines/kernel/clock.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import type { ProcessIdentity } from '../../machines/workload/instance-record.ts';
import { processError } from '../../machines/workload/process-errors.ts';
import { isRunning, listPids, readBootId, readEnvironment, readStat } from './proc.ts';
import type { ProcStat } from './proc.ts';

/** Between two looks at what SIGKILL left. */
const REAP_PAUSE_MS = 5;
/** Processes looked at before other work gets its turn. */
const SCAN_BATCH = 64;

const tokenOf = (pid: number): string | undefined => readEnvironment(pid)?.get('MESH_TOKEN');

/**
 * The very process of that identity, if it runs. Programs may overwrite their environment in memory
 * (setproctitle), so that a token is not there proves nothing; that another one is there does.
 */
export function confirm(identity: ProcessIdentity): ProcStat | null {
  if (identity.bootId !== readBootId()) return null;
  const stat = readStat(identity.pid);
  if (stat === null || stat.startTicks !== identity.startTicks || !isRunning(stat)) return null;
  const token = tokenOf(identity.pid);
  return token === undefined || token === identity.token ? stat : null;
}

/**
 * As `Processes.signal`. Looked at and signalled in one turn: our own child cannot be reaped, and so
 * its pid not be reused, in between. MESH_ERR_PROCESS_SIGNAL_FAILED.
 */
export function signalGroup(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  const stat = confirm(identity);
  if (stat === null) return false;
  return send(stat.group === stat.pid ? -stat.pid : stat.pid, signal);
}

/** True when somebody was there to receive it. */
function send(target: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    throw processError(
      'MESH_ERR_PROCESS_SIGNAL_FAILED',
      `Sending ${signal} to ${target < 0 ? 'process group' : 'process'} ${Math.abs(target)} failed.`,
      { cause: error, details: { target, signal } },
    );
  }
}

/** Runs over all processes but this one, a batch a turn. */
async function scan(visit: (stat: ProcStat) => void): Promise<void> {
  let looked = 0;
  for (const pid of listPids()) {
    if (pid === process.pid) continue;
    const stat = readStat(pid);
    if (stat !== null && isRunning(stat)) visit(stat);
    if (++looked % SCAN_BATCH === 0) await new Promise((resolve) => void setImmediate(resolve));
  }
}

/**
 * Living members of the leader's session or group, and descendants that left both but carry its
 * token. `endedAtTicks`: when the leader was seen to have ended.
 */
export async function membersOf(
  leader: ProcessIdentity,
  endedAtTicks: number | null,
): Promise<readonly ProcStat[]> {
  if (leader.bootId !== readBootId()) return [];
  const inSession: ProcStat[] = [];
  const escaped: ProcStat[] = [];
  let isProven = false;
  await scan((stat) => {
    // A descendant is never older than its ancestor; this spares most of the environments.
    if (stat.startTicks < leader.startTicks) return;
    const hasToken = tokenOf(stat.pid) === leader.token;
    if (stat.session === leader.pid || stat.group === leader.pid) {
      inSession.push(stat);
      isProven ||= hasToken || (endedAtTicks !== null && stat.startTicks <= endedAtTicks);
    } else if (hasToken) escaped.push(stat);
  });
  const holder = readStat(leader.pid);
  const isReused = holder !== null && holder.startTicks !== leader.startTicks;
  const isHeld = holder !== null && !isReused;
  return !isReused && (isHeld || isProven) ? [...inSession, ...escaped] : escaped;
}

export interface ReapOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly endedAtTicks: number | null;
}

/** As `Processes.reap`. MESH_ERR_PROCESS_GROUP_REMAINS after `timeoutMs`. */
export async function reapGroup(leader: ProcessIdentity, options: ReapOptions): Promise<void> {
  const { clock, timeoutMs, endedAtTicks } = options;
  const deadline = clock.monotonicNow() + timeoutMs;
  if (confirm(leader) !== null) return;
  for (;;) {
    const left = await membersOf(leader, endedAtTicks);
    if (left.length === 0) return;
    for (const member of left) killMember(member, leader);
    if (clock.monotonicNow() >= deadline) throw groupRemains(leader, left);
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, REAP_PAUSE_MS));
  }
}

function killMember(member: ProcStat, leader: ProcessIdentity): void {
  const now = readStat(member.pid);
  if (now === null || now.startTicks !== member.startTicks) return;
  // The whole group at once, so that no member can fork away from its signal.
  send(now.group === leader.pid ? -leader.pid : now.pid, 'SIGKILL');
}

function groupRemains(leader: ProcessIdentity, left: readonly ProcStat[]): Error {
  const pids = left.slice(0, 20).map(({ pid }) => pid);
  return processError(
    'MESH_ERR_PROCESS_GROUP_REMAINS',
    `Ending the process group ${leader.pid} failed: ${left.length} members were still there.`,
    { details: { leader: leader.pid, pids } },
  );
}

/** As `Processes.strays`. */
export async function findStrays(
  homeId: string,
  known: ReadonlySet<string>,
): Promise<readonly ProcessIdentity[]> {
  const strays: ProcessIdentity[] = [];
  const bootId = readBootId();
  await scan(({ pid, startTicks }) => {
    const environment = readEnvironment(pid);
    const token = environment?.get('MESH_TOKEN');
    if (environment?.get('MESH_HOME_ID') !== homeId || token === undefined) return;
    if (!known.has(token)) strays.push({ pid, startTicks, bootId, token });
  });
  return strays;
}
