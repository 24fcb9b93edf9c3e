/** A mesh in a process of its own, so that a spec can kill it. Also the program of that process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CoordinatorLink } from '../../../runtime/certificates/coordinator-link.ts';
import { connectControl } from '../../../runtime/control/client.ts';
import type { ControlClient } from '../../../runtime/control/client.ts';
import { serveControl } from '../../../runtime/control/server.ts';
import { startMesh } from '../../../runtime/mesh.ts';

const PROGRAM = fileURLToPath(import.meta.url);

export interface MeshProcess extends AsyncDisposable {
  readonly pid: number;
  readonly edgeUrl: string;
  readonly control: ControlClient;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP, and SIGCONT after `ms`: to it, no time has passed but that of its clocks. */
  pause(ms: number): Promise<void>;
  /** SIGTERM, which ends its instances too; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Resolves when the mesh of `home` runs and answers. */
export async function startMeshProcess(
  home: string,
  nodes = 3,
  coordinator?: CoordinatorLink,
): Promise<MeshProcess> {
  const link = coordinator === undefined ? [] : [JSON.stringify(coordinator)];
  const child = spawn(process.execPath, [PROGRAM, home, String(nodes), ...link], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>,
    ended.then(() => Promise.reject(new Error('The mesh ended before it ran.'))),
  ]);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return {
    pid: child.pid ?? 0,
    edgeUrl: line,
    control: connectControl(home),
    kill: () => end('SIGKILL'),
    pause: async (ms) => {
      child.kill('SIGSTOP');
      await new Promise((resolve) => void setTimeout(resolve, ms));
      child.kill('SIGCONT');
    },
    stop: () => end('SIGTERM'),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) await end('SIGTERM');
    },
  };
}

async function main(home: string, nodes: number, link: string | undefined): Promise<void> {
  const coordinator =
    link === undefined ? {} : { coordinator: JSON.parse(link) as CoordinatorLink };
  const mesh = await startMesh({ home, port: 0, nodes, ...coordinator });
  const server = await serveControl(mesh, { home });
  process.once('SIGTERM', () => {
    server
      .close()
      .then(() => mesh.stop())
      .then(() => process.exit(0))
      .catch((error: unknown) => {
        console.error(error);
        process.exit(1);
      });
  });
  console.log(mesh.edgeUrl);
}

if (process.argv[1] === PROGRAM)
  await main(process.argv[2] ?? '', Number(process.argv[3]), process.argv[4]);
