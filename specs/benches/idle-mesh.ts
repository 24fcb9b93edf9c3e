/** A mesh of three nodes that has nothing to do, started by its command, for the benches. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mesh, startMeshCommand } from '../support/mesh/command.ts';
import type { MeshRunOptions } from '../support/mesh/command.ts';

const START_TIMEOUT_MS = 30_000;
const PROBE_PAUSE_MS = 100;

export interface IdleMesh extends AsyncDisposable {
  readonly pid: number;
  /** For commands that talk to it. */
  readonly options: MeshRunOptions;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

async function untilItAnswers(child: ChildProcess, options: MeshRunOptions): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const { exitCode, stderr } = await mesh(['ps'], options);
    if (exitCode === 0) return;
    if (child.exitCode !== null) throw new Error(`mesh up ended with ${child.exitCode}.`);
    if (performance.now() > deadline) throw new Error(`mesh up does not answer: ${stderr}`);
    await pause(PROBE_PAUSE_MS);
  }
}

/** Resolves when it answers; disposing of it ends it in order. */
export async function startIdleMesh(): Promise<IdleMesh> {
  const cwd = await mkdtemp(join(tmpdir(), 'mesh-idle-'));
  const options = { cwd, env: { MESH_HOME: join(cwd, '.mesh') } };
  const child = startMeshCommand(['up', '--port', '0', '--nodes', '3'], options);
  // Pipes that nobody reads fill up.
  child.stdout?.resume();
  child.stderr?.resume();
  const end = async (): Promise<void> => {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
    await rm(cwd, { recursive: true, force: true });
  };
  try {
    await untilItAnswers(child, options);
  } catch (error) {
    await end();
    throw error;
  }
  return { pid: child.pid ?? 0, options, [Symbol.asyncDispose]: end };
}
