/** Executes a program as the leader of its own session, with nothing of the runtime's own in it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, statSync } from 'node:fs';
import { execa } from 'execa';
import type { ProcessSpec } from '../../actors/workload/ports/process.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { CodedError, codeOf } from '../../machines/kernel/coded-error.ts';
import type { ProcessIdentity } from '../../machines/workload/instance-record.ts';
import { processError } from '../../machines/workload/process-errors.ts';
import { isRunning, orGone, readBootId, readStat } from './proc.ts';
import { resolveProgram } from './program.ts';

/** A file that a worker just wrote is "busy" while any fork of that moment still holds it open. */
const BUSY_RETRIES = 20;
const BUSY_PAUSE_MS = 5;
/** How long setpriv may take to become the program; it takes about a millisecond. */
const EXECUTE_TIMEOUT_MS = 5_000;
const EXECUTE_POLL_MS = 1;
/** Exit codes of setpriv when it could not execute, as the error that was the reason. */
const SETPRIV_EXITS: ReadonlyMap<number | undefined, string> = new Map([
  [127, 'ENOENT'],
  [126, 'ETXTBSY'],
]);

const LOG_FLAGS =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

export interface LaunchOptions {
  readonly clock: Clock;
  /** Called in the turn of the spawn, so that no exit of the child is missed. */
  readonly onStarted: (identity: ProcessIdentity, child: ChildProcess) => void;
  readonly signal?: AbortSignal | undefined;
  /** Descriptors of the runtime that the process would get, and gets /dev/null for. */
  readonly masked: readonly number[];
}

/** How it ended, or why it never began. */
interface Outcome {
  readonly exitCode?: number | null | undefined;
  readonly cause?: unknown;
}

interface Child {
  readonly process: ChildProcess;
  /** Without a pid it carries the reason. */
  readonly outcome: PromiseLike<Outcome>;
}

interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Set when `file` is setpriv and has yet to become the program. */
  readonly setpriv?: string;
}

/** As `Processes.spawn`; the errors are those of process-errors.ts. */
export async function launch(spec: ProcessSpec, options: LaunchOptions): Promise<ProcessIdentity> {
  refuseNul(spec);
  const command = commandOf(spec);
  for (let attempt = 0; ; attempt++) {
    options.signal?.throwIfAborted();
    try {
      return await launchOnce(spec, command, options);
    } catch (error) {
      if (!isBusy(error) || attempt >= BUSY_RETRIES) throw error;
    }
    await pause(options.clock, BUSY_PAUSE_MS);
  }
}

async function launchOnce(
  spec: ProcessSpec,
  command: Command,
  { clock, masked, onStarted }: LaunchOptions,
): Promise<ProcessIdentity> {
  const child = start(spec, command, masked);
  const { pid } = child.process;
  if (pid === undefined) throw spawnError(spec, await causeOf(child));
  const identity = identify(spec, pid);
  onStarted(identity, child.process);
  if (command.setpriv !== undefined) await executed(spec, command.setpriv, child, clock);
  return identity;
}

const isBusy = (error: unknown): boolean =>
  error instanceof CodedError && error.details?.['errno'] === 'ETXTBSY';

function refuseNul(spec: ProcessSpec): void {
  const texts = [spec.command, spec.cwd, ...spec.args, ...Object.entries(spec.env).flat()];
  if (!texts.some((text) => text.includes('\0'))) return;
  throw processError(
    'MESH_ERR_PROCESS_ARGUMENTS_REFUSED',
    `Starting ${spec.instance} failed: there is a NUL character in its arguments or environment.`,
    { details: { instance: spec.instance } },
  );
}

const pause = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.setTimeout(resolve, ms));

function commandOf(spec: ProcessSpec): Command {
  const { instance, cwd } = spec;
  const path = spec.env['PATH'];
  const file = resolveProgram({ instance, command: spec.command, path, cwd });
  if (spec.onRuntimeDeath === 'keep') return { file, args: spec.args };
  const setpriv = resolveSetpriv(instance);
  const args = ['--pdeathsig', 'KILL', '--', file, ...spec.args];
  return { file: setpriv, args, setpriv };
}

/** Looked for on the runtime's own PATH: it is the runtime's tool, not the workload's. */
function resolveSetpriv(instance: string): string {
  try {
    const path = process.env['PATH'];
    return resolveProgram({ instance, command: 'setpriv', path, cwd: '/' });
  } catch (cause) {
    throw processError(
      'MESH_ERR_PROCESS_SETPRIV_MISSING',
      `Starting ${instance} so that it ends with the runtime failed: there is no setpriv.`,
      { cause, details: { instance } },
    );
  }
}

function start(spec: ProcessSpec, { file, args }: Command, masked: readonly number[]): Child {
  using opened = new DisposableStack();
  const [log, nothing] = openStreams(spec, opened);
  if (masked.length === 0) return spawnDetached(spec, file, args, log);
  const stdio: ('ignore' | number)[] = ['ignore', log, log];
  for (const fd of masked) {
    while (stdio.length < fd) stdio.push('ignore');
    stdio[fd] = nothing;
  }
  return spawnMasked(spec, file, args, stdio);
}

const optionsOf = (spec: ProcessSpec) => ({
  cwd: spec.cwd,
  env: { ...spec.env, MESH_TOKEN: spec.token },
  // Own session and process group.
  detached: true,
});

function spawnDetached(
  spec: ProcessSpec,
  file: string,
  args: readonly string[],
  log: number,
): Child {
  const child = execa(file, args, {
    ...optionsOf(spec),
    extendEnv: false,
    cleanup: false,
    // Files, never pipes: a pipe ties the end of the process to whoever else holds it. The types
    // name the first descriptors only; any number is one.
    stdio: ['ignore', log, log] as ['ignore', 3, 3],
    buffer: false,
    reject: false,
  });
  return { process: child.nodeChildProcess, outcome: child };
}

/** Without execa, which compares each stream with all others: milliseconds for a few hundred. */
function spawnMasked(
  spec: ProcessSpec,
  file: string,
  args: readonly string[],
  stdio: ('ignore' | number)[],
): Child {
  try {
    const child = spawn(file, args, { ...optionsOf(spec), stdio });
    const outcome = once(child, 'exit').then(
      ([exitCode]: (number | null)[]) => ({ exitCode }),
      (cause: unknown) => ({ cause }),
    );
    return { process: child, outcome };
  } catch (error) {
    // Which errors are thrown and which are told later is the platform's choice.
    throw spawnError(spec, error);
  }
}

/** Open for as long as the spawn takes: the log, and what stands for masked descriptors. */
function openStreams(spec: ProcessSpec, opened: DisposableStack): readonly [number, number] {
  try {
    if (!statSync(spec.cwd).isDirectory()) throw new Error(`${spec.cwd} is not a folder.`);
    return [
      opened.adopt(openSync(spec.logPath, LOG_FLAGS, 0o600), closeSync),
      opened.adopt(openSync('/dev/null', 'r+'), closeSync),
    ];
  } catch (cause) {
    throw processError(
      'MESH_ERR_PROCESS_SPAWN_FAILED',
      `Starting ${spec.instance} in ${spec.cwd} with the log ${spec.logPath} failed.`,
      { cause, details: { instance: spec.instance, errno: codeOf(cause) ?? null } },
    );
  }
}

async function causeOf({ outcome }: Child): Promise<unknown> {
  const { cause } = await outcome;
  return cause ?? new Error('The operating system gave no reason.');
}

function spawnError(spec: ProcessSpec, cause: unknown): Error {
  const errno = codeOf(cause);
  const details = { instance: spec.instance, command: spec.command, errno: errno ?? null };
  const options = { cause, details };
  const attempt = `Starting ${spec.instance} (${spec.command}) failed`;
  if (errno === 'E2BIG')
    return processError('MESH_ERR_PROCESS_ARGUMENTS_REFUSED', `${attempt}: ${errno}.`, options);
  // resolveProgram saw the file; so these speak of its loader, or of a change in between.
  if (errno === 'ENOENT' || errno === 'EACCES' || errno === 'ENOEXEC')
    return processError(
      'MESH_ERR_PROCESS_NOT_EXECUTABLE',
      `${attempt}: the kernel would not execute it (${errno}).`,
      options,
    );
  return processError(
    'MESH_ERR_PROCESS_SPAWN_FAILED',
    `${attempt}: ${errno ?? 'refused'}.`,
    options,
  );
}

/**
 * Read in the turn of the spawn, when even a process that ended already is still there as a zombie.
 */
function identify(spec: ProcessSpec, pid: number): ProcessIdentity {
  const stat = readStat(pid);
  if (stat === null) throw spawnError(spec, new Error('It was not found in /proc.'));
  return { pid, startTicks: stat.startTicks, bootId: readBootId(), token: spec.token };
}

/** Waits until setpriv became the program. */
async function executed(
  spec: ProcessSpec,
  setpriv: string,
  child: Child,
  clock: Clock,
): Promise<void> {
  const pid = child.process.pid ?? 0;
  const tool = statSync(setpriv, { bigint: true });
  const deadline = clock.monotonicNow() + EXECUTE_TIMEOUT_MS;
  for (;;) {
    const program = orGone(() => statSync(`/proc/${pid}/exe`, { bigint: true }));
    const isTool = program !== null && program.ino === tool.ino && program.dev === tool.dev;
    if (program !== null && !isTool) return;
    const stat = readStat(pid);
    if (stat === null || !isRunning(stat)) {
      const { exitCode } = await child.outcome;
      const code = SETPRIV_EXITS.get(exitCode ?? undefined);
      if (code === undefined) return;
      const message = `setpriv ended with ${exitCode}; the log says why.`;
      throw spawnError(spec, Object.assign(new Error(message), { code }));
    }
    if (clock.monotonicNow() >= deadline) {
      child.process.kill('SIGKILL');
      throw spawnError(spec, new Error(`setpriv did not execute it in ${EXECUTE_TIMEOUT_MS} ms.`));
    }
    await pause(clock, EXECUTE_POLL_MS);
  }
}
