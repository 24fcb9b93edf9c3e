/**
 * Finds what a command would execute, and says beforehand why it could not. The kernel's own answer
 * is poorer (ENOENT also stands for a missing interpreter), and execvp(3) hands any file that it
 * cannot execute to /bin/sh.
 */
import { constants } from 'node:fs';
import { access, open, readdir, stat } from 'node:fs/promises';
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
export async function resolveProgram(request: ProgramRequest): Promise<string> {
  const { command, cwd, instance } = request;
  let reason: string | undefined;
  for (const candidate of candidatesOf(request)) {
    const refusal = await refusalOf(candidate);
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
async function refusalOf(file: string): Promise<string | null> {
  try {
    const facts = await stat(file);
    if (!facts.isFile()) return 'is not a regular file';
    await access(file, constants.X_OK);
    return await formatRefusalOf(file);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
    if (code === 'EACCES') return 'may not be executed (no permission, or mounted noexec)';
    if (code === 'ELOOP' || code === 'ENAMETOOLONG') return `cannot be resolved (${code})`;
    throw error;
  }
}

async function formatRefusalOf(file: string): Promise<string | null> {
  const head = await readHead(file);
  // A program may be executable and not readable; then only the kernel can judge its format.
  if (head === null) return null;
  if (head.subarray(0, 2).toString('latin1') === '#!') return shebangRefusalOf(head);
  if (await hasForeignFormats()) return null;
  if (head.subarray(0, 4).toString('latin1') !== '\x7fELF')
    return 'is neither an ELF program nor starts with "#!"';
  const machine = head.readUInt16LE(18);
  const machines = ELF_MACHINES[process.arch];
  return machines === undefined || machines.includes(machine)
    ? null
    : `is an ELF program for another machine (${machine})`;
}

async function readHead(file: string): Promise<Buffer | null> {
  try {
    await using handle = await open(file, constants.O_RDONLY);
    const head = Buffer.alloc(HEAD_BYTES);
    await handle.read(head, 0, HEAD_BYTES, 0);
    return head;
  } catch (error) {
    if (codeOf(error) === 'EACCES') return null;
    throw error;
  }
}

async function shebangRefusalOf(head: Buffer): Promise<string | null> {
  const [line = ''] = head
    .subarray(2)
    .toString('utf8')
    .split(/[\n\0]/, 1);
  const [interpreter = ''] = line.trim().split(/[ \t]/, 1);
  if (interpreter === '') return 'has a "#!" line that names no interpreter';
  try {
    await access(interpreter, constants.X_OK);
    return null;
  } catch (error) {
    return `has the interpreter "${interpreter}", which cannot be executed (${codeOf(error)})`;
  }
}

/** Whether the kernel was taught further formats (binfmt_misc: qemu, Java, wine). */
async function hasForeignFormats(): Promise<boolean> {
  try {
    const entries = await readdir('/proc/sys/fs/binfmt_misc');
    return entries.some((entry) => entry !== 'register' && entry !== 'status');
  } catch {
    // Not mounted or hidden: then no further format is in force.
    return false;
  }
}
