/** The command `mesh` as a process of its own: what a user's shell would see. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';

const MAIN = fileURLToPath(new URL('../../../runtime/cli/main.ts', import.meta.url));

/** Stripped and compiled sources, for the dozens of processes of one spec. */
const CACHE = join(tmpdir(), 'mesh-compile-cache');

export interface MeshRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MeshRunOptions {
  /** Working folder. */
  readonly cwd: string;
  /** Added to an environment without colours and without settings. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts it with stdin closed and both streams as pipes. */
export function startMeshCommand(args: readonly string[], options: MeshRunOptions): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: CACHE, ...options.env },
  });
}

/** Runs it to its end. */
export async function mesh(args: readonly string[], options: MeshRunOptions): Promise<MeshRun> {
  const child = startMeshCommand(args, options);
  const [stdout, stderr] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
    once(child, 'exit'),
  ]);
  return { exitCode: child.exitCode, stdout, stderr };
}
