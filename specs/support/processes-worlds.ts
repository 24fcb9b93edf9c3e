/** The worlds that the processes suite runs in: this machine, and one that is only played. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Processes, ProcessSpec } from '../../actors/workload/ports/process.ts';
import { createHealthProbe } from '../../runtime/adapters/health.http.ts';
import { createPortPicker } from '../../runtime/adapters/port-picker.ts';
import { createProcesses } from '../../runtime/adapters/processes.execa.ts';
import { systemClock } from '../../runtime/adapters/clock.system.ts';
import { systemRandom } from '../../runtime/adapters/random.system.ts';
import type { ProcessesWorld, SpecChanges } from '../compliance/processes.suite.ts';
import { FakeMachine } from './fake-processes.ts';
import { VirtualClock } from './virtual-clock.ts';

/** An HTTP service in one file; its head says which modes it has. */
export const SAMPLE_SERVICE = fileURLToPath(
  new URL('./sample-services/http-service.mjs', import.meta.url),
);
/** The same routes in Python. */
export const PYTHON_SERVICE = fileURLToPath(
  new URL('./sample-services/http-service.py', import.meta.url),
);

const UNTIL_MS = 10_000;
const POLL_MS = 5;

/** Polls the outside world; fails when `check` does not hold in time. */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  timeoutMs = UNTIL_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`There was not ${what} in ${timeoutMs} ms.`);
    await new Promise((resolve) => void setTimeout(resolve, POLL_MS));
  }
}

function sampleSpec(home: string, folder: string, mode: string, changes: SpecChanges): ProcessSpec {
  const { port = 0, ...others } = changes;
  const token = systemRandom.hex(16);
  return {
    instance: `sample-${token.slice(0, 6)}`,
    command: process.execPath,
    args: [SAMPLE_SERVICE],
    env: { SAMPLE_MODE: mode, PORT: String(port), MESH_HOME_ID: home },
    cwd: folder,
    token,
    logPath: join(folder, 'sample.log'),
    onRuntimeDeath: 'keep',
    ...others,
  };
}

/** This machine. At the end, everything that carries the world's home id is killed. */
export async function createRealWorld(): Promise<ProcessesWorld & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'mesh-processes-'));
  const homeId = systemRandom.hex(16);
  const unexecutable = join(folder, 'plain.txt');
  await writeFile(unexecutable, '#!/bin/sh\n');
  await chmod(unexecutable, 0o644);
  const servers: Server[] = [];
  const processes = createProcesses({ clock: systemClock });
  return {
    folder,
    homeId,
    unexecutable,
    processes,
    health: createHealthProbe({ clock: systemClock }),
    ports: createPortPicker({ clock: systemClock, random: systemRandom }),
    spec: (mode, changes = {}) => sampleSpec(homeId, folder, mode, changes),
    nextRuntime: () => createProcesses({ clock: systemClock }),
    occupy: (port) =>
      new Promise((resolve, reject) => {
        const server = createServer().once('error', reject);
        servers.push(server);
        server.listen(port, '127.0.0.1', resolve);
      }),
    until,
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.close();
      await endAll(processes, homeId);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function endAll(processes: Processes, homeId: string): Promise<void> {
  await until('an end of all processes', async () => {
    const left = await processes.strays(homeId, new Set());
    for (const identity of left) await processes.signal(identity, 'SIGKILL');
    return left.length === 0;
  });
}

/** A machine under a virtual clock. */
export async function createFakeWorld(): Promise<
  ProcessesWorld & { readonly machine: FakeMachine; readonly clock: VirtualClock }
> {
  const clock = new VirtualClock();
  const machine = new FakeMachine(clock);
  const homeId = 'home';
  const unexecutable = '/srv/plain.txt';
  machine.refuse('/missing/program', 'MESH_ERR_PROCESS_PROGRAM_MISSING');
  machine.refuse('no-such-program', 'MESH_ERR_PROCESS_PROGRAM_MISSING');
  machine.refuse(unexecutable, 'MESH_ERR_PROCESS_NOT_EXECUTABLE');
  return {
    machine,
    clock,
    homeId,
    unexecutable,
    processes: machine.processes(),
    health: machine.healthProbe(),
    ports: machine.portPicker(),
    spec: (mode, changes = {}) => sampleSpec(homeId, '/srv', mode, changes),
    nextRuntime: () => machine.processes(),
    occupy: async (port) => machine.occupy(port),
    async until(what, check) {
      const deadline = clock.monotonicNow() + UNTIL_MS;
      while (!(await check())) {
        if (clock.monotonicNow() > deadline) throw new Error(`There was not ${what} in time.`);
        await clock.advance(POLL_MS);
      }
    },
    async [Symbol.asyncDispose]() {
      // Nothing of it is outside this process.
    },
  };
}
