/** A mesh in this process, from its start to the last of its instances. */
import { systemClock } from '../adapters/clock.system.ts';
import { createProcesses } from '../adapters/processes.execa.ts';
import { serveControl } from '../control/server.ts';
import { homeIdOf } from '../home.ts';
import { startMesh } from '../mesh.ts';
import type { Mesh } from '../mesh.ts';
import type { MeshOptions } from '../compose.ts';
import { serveAdmin } from '../telemetry/admin-server.ts';
import type { AdminSource } from '../telemetry/admin-server.ts';
import type { MeshLogger } from '../telemetry/logger.ts';
import { cliError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { onSignals } from './signals.ts';
import type { Signals } from './signals.ts';

export interface ServeOptions {
  readonly mesh: MeshOptions;
  /** Of /metrics, /livez and /readyz; null for none. */
  readonly adminPort: number | null;
  readonly logger: MeshLogger;
  /** Called once the control socket answers; a signal meanwhile aborts `signal`. */
  readonly onServing: (mesh: Mesh, signal: AbortSignal, adminUrl: string | null) => Promise<void>;
  /** Called when a signal asked for the end, by which name. */
  readonly onStopping: (name: NodeJS.Signals) => void;
}

/** States of an app in which the mesh is not what its plans say. */
const NOT_READY = new Set(['deploying', 'degraded', 'crash_looping', 'failed']);

/**
 * Serves until a signal or until the mesh ends by itself, then ends every instance in order; a second
 * signal does that without patience. Resolves to the exit code: 0 after SIGTERM, 130 after Ctrl-C.
 * Rejects with what `startMesh` and `serveControl` reject with, and MESH_ERR_CLI_MESH_ENDED.
 */
export async function serve(options: ServeOptions): Promise<ExitCode> {
  const signals = onSignals();
  try {
    const mesh = await startMesh(options.mesh);
    try {
      return await serveMesh(mesh, options, signals);
    } finally {
      // Also after an error in between: nothing that was started here stays.
      await stop(mesh, options.mesh.home, signals);
    }
  } finally {
    signals.release();
  }
}

async function serveMesh(mesh: Mesh, options: ServeOptions, signals: Signals): Promise<ExitCode> {
  const { home } = options.mesh;
  const { logger, adminPort } = options;
  const unsubscribe = mesh.tree.onReport(logger.report);
  const control = await serveControl(mesh, { home, onDefect: logger.defect });
  try {
    const admin = adminPort === null ? null : await serveAdmin(adminOf(mesh), adminPort);
    try {
      await options.onServing(mesh, signals.signal, admin?.url ?? null).catch((thrown: unknown) => {
        if (!signals.signal.aborted) throw thrown;
      });
      return await untilEnded(mesh, options, signals);
    } finally {
      await admin?.close();
    }
  } finally {
    unsubscribe();
    await control.close();
  }
}

async function untilEnded(mesh: Mesh, options: ServeOptions, signals: Signals): Promise<ExitCode> {
  const ended = await Promise.race([
    signals.first.then((name) => ({ name })),
    mesh.ended.then((reason) => ({ reason })),
  ]);
  if ('name' in ended) {
    options.onStopping(ended.name);
    return ended.name === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
  }
  throw cliError(
    'MESH_ERR_CLI_MESH_ENDED',
    `The mesh in ${options.mesh.home} ended by itself: ${JSON.stringify(ended.reason)}.`,
  );
}

const adminOf = (mesh: Mesh): AdminSource => ({
  metrics: () => mesh.metrics(),
  notReady: async () => {
    const troubled = (await mesh.apps()).filter(({ state }) => NOT_READY.has(state));
    return troubled.length === 0
      ? null
      : troubled.map(({ app, state }) => `${app} is ${state}`).join(', ');
  },
});

async function stop(mesh: Mesh, home: string, signals: Signals): Promise<void> {
  const stopped = mesh.stop();
  const isImpatient = await Promise.race([
    stopped.then(() => false),
    signals.second.then(() => true),
  ]);
  if (isImpatient) await killInstances(home);
  await stopped;
}

/** Ends what still runs in that state folder, whole process groups at once. */
async function killInstances(home: string): Promise<void> {
  const processes = createProcesses({ clock: systemClock });
  for (const identity of await processes.strays(homeIdOf(home), new Set()))
    await processes.signal(identity, 'SIGKILL');
}
