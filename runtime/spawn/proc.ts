/**
 * Readers of /proc. Every one of them survives that the process ends while it reads: what is gone
 * or hidden is `null`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { processError } from '../../machines/workload/process-errors.ts';

/** The fields of /proc/PID/stat that are used here (proc(5)). */
export interface ProcStat {
  readonly pid: number;
  readonly state: string;
  readonly group: number;
  readonly session: number;
  readonly threads: number;
  /** Since boot, in 1/100 s: USER_HZ is 100 on every architecture that Node runs on. */
  readonly startTicks: number;
}

const TICKS_PER_SECOND = 100;
/** ENOENT and ESRCH: it ended. EACCES and EPERM: it is not ours to look at. */
const UNREADABLE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/** What `read` gives, or null when that process is gone or hidden. */
export function orGone<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (UNREADABLE.has(codeOf(error))) return null;
    throw error;
  }
}

/** The second field is the program's name in parentheses and may itself hold any character. */
export function parseStat(text: string): ProcStat | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < 0) return null;
  const after = text.slice(close + 2).split(' ');
  const field = (number: number): number => Number(after[number - 3]);
  return {
    pid: Number(text.slice(0, open)),
    state: after[0] ?? '',
    group: field(5),
    session: field(6),
    threads: field(20),
    startTicks: field(22),
  };
}

export function readStat(pid: number): ProcStat | null {
  const text = orGone(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return text === null ? null : parseStat(text);
}

/**
 * Whether it still runs. A leader whose first thread ended is shown as a zombie (Z) while its other
 * threads go on.
 */
export function isRunning(stat: ProcStat): boolean {
  if (stat.state === 'Z') return stat.threads > 1;
  return stat.state !== 'X' && stat.state !== 'x';
}

/** All processes of this machine (of this pid namespace), own one included. */
export function listPids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** The environment that a process was executed with; null when it is gone or hidden. */
export function readEnvironment(pid: number): ReadonlyMap<string, string> | null {
  const text = orGone(() => readFileSync(`/proc/${pid}/environ`, 'utf8'));
  if (text === null) return null;
  const variables = new Map<string, string>();
  for (const entry of text.split('\0')) {
    const equals = entry.indexOf('=');
    if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return variables;
}

let cachedBootId: string | undefined;

/** Changes with each boot of the machine. */
export function readBootId(): string {
  cachedBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return cachedBootId;
}

/** Now, on the scale of `startTicks`. */
export function uptimeTicks(): number {
  const [seconds = ''] = readFileSync('/proc/uptime', 'latin1').split(' ');
  return Math.ceil(Number(seconds) * TICKS_PER_SECOND);
}

/** MESH_ERR_PROCESS_PLATFORM_UNSUPPORTED where there is no /proc to build on. */
export function requireProc(platform: NodeJS.Platform = process.platform): void {
  const found = platform === 'linux' ? orGone(() => readFileSync('/proc/self/stat')) : null;
  if (found !== null) return;
  throw processError(
    'MESH_ERR_PROCESS_PLATFORM_UNSUPPORTED',
    `Starting processes on ${platform} was refused: there is no /proc as Linux has it.`,
    { details: { platform } },
  );
}
