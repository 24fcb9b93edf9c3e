/**
 * Finds what a command would execute, and says beforehand why it could not. The kernel's own answer
 * is poorer (ENOENT also stands for a missing interpreter), and execvp(3) hands any file that it
 * cannot execute to /bin/sh. All of it is done in one turn: some ten calls of a microsecond each, where
 * as many round trips to the thread pool would take longer than the spawn itself.
 */
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { processError } from '../../machines/workload/process-errors.ts';

/** Searched when the instance's environment has no PATH. */
export const PATH_DEFAULT = '/usr/local/bin:/usr/bin:/bin';

/** Enough for an ELF header's machine and for the longest "#!" line (BINPRM_BUF_SIZE). */
const HEAD_BYTES = 256;
const ELF_MACHINES: { readonly [arch: string]: readonly number[] } = {
  // EM_X86_64 and EM_386; EM_AARCH64 and EM_ARM (elf.h).
  x64: [62, 3],
  arm64: [183, 40],
};

export interface ProgramRequest {
  readonly instance: string;
  /** A path (relative to `cwd`), or a name to search for. */
  readonly command: string;
  readonly path: string | undefined;
  readonly cwd: string;
}

/** The absolute path to execute. MESH_ERR_PROCESS_PROGRAM_MISSING, MESH_ERR_PROCESS_NOT_EXECUTABLE. */
export function resolveProgram(request: ProgramRequest): string {
  const { command, cwd, instance } = request;
  let reason: string | undefined;
  for (const candidate of candidatesOf(request)) {
    const refusal = refusalOf(candidate);
    if (refusal === 'missing') continue;
    if (refusal === null) return candidate;
    reason ??= `${candidate} ${refusal}`;
  }
  const details = { instance, command, cwd };
  if (reason !== undefined)
    throw processError(
      'MESH_ERR_PROCESS_NOT_EXECUTABLE',
      `Starting ${instance} failed: ${reason}.`,
      { details },
    );
  const where = command.includes('/') ? 'as a file' : `on PATH ${request.path ?? PATH_DEFAULT}`;
  throw processError(
    'MESH_ERR_PROCESS_PROGRAM_MISSING',
    `Starting ${instance} failed: there is no program "${command}" ${where}.`,
    { details },
  );
}

function candidatesOf({ command, path, cwd }: ProgramRequest): string[] {
  if (command === '' || command.includes('\0')) return [];
  if (command.includes('/')) return [resolve(cwd, command)];
  return (path ?? PATH_DEFAULT).split(':').map((folder) => {
    const base = isAbsolute(folder) ? folder : resolve(cwd, folder);
    return join(base, command);
  });
}

/** `missing`, the rest of a sentence about the file, or null when it can be executed. */
function refusalOf(file: string): string | null {
  try {
    const facts = statSync(file);
    if (!facts.isFile()) return 'is not a regular file';
    accessSync(file, constants.X_OK);
    return formatRefusalOf(file);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
    if (code === 'EACCES') return 'may not be executed (no permission, or mounted noexec)';
    if (code === 'ELOOP' || code === 'ENAMETOOLONG') return `cannot be resolved (${code})`;
    throw error;
  }
}

function formatRefusalOf(file: string): string | null {
  const head = readHead(file);
  // A program may be executable and not readable; then only the kernel can judge its format.
  if (head === null) return null;
  if (head.subarray(0, 2).toString('latin1') === '#!') return shebangRefusalOf(head);
  if (hasForeignFormats()) return null;
  if (head.subarray(0, 4).toString('latin1') !== '\x7fELF')
    return 'is neither an ELF program nor starts with "#!"';
  const machine = head.readUInt16LE(18);
  const machines = ELF_MACHINES[process.arch];
  return machines === undefined || machines.includes(machine)
    ? null
    : `is an ELF program for another machine (${machine})`;
}

function readHead(file: string): Buffer | null {
  const head = Buffer.alloc(HEAD_BYTES);
  using opened = new DisposableStack();
  try {
    const fd = opened.adopt(openSync(file, 'r'), closeSync);
    readSync(fd, head, 0, HEAD_BYTES, 0);
    return head;
  } catch (error) {
    if (codeOf(error) === 'EACCES') return null;
    throw error;
  }
}

function shebangRefusalOf(head: Buffer): string | null {
  const [line = ''] = head
    .subarray(2)
    .toString('utf8')
    .split(/[\n\0]/, 1);
  const [interpreter = ''] = line.trim().split(/[ \t]/, 1);
  if (interpreter === '') return 'has a "#!" line that names no interpreter';
  try {
    accessSync(interpreter, constants.X_OK);
    return null;
  } catch (error) {
    return `has the interpreter "${interpreter}", which cannot be executed (${codeOf(error)})`;
  }
}

/** Whether the kernel was taught further formats (binfmt_misc: qemu, Java, wine). */
function hasForeignFormats(): boolean {
  try {
    const entries = readdirSync('/proc/sys/fs/binfmt_misc');
    return entries.some((entry) => entry !== 'register' && entry !== 'status');
  } catch {
    // Not mounted or hidden: then no further format is in force.
    return false;
  }
}
