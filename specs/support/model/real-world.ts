/** Real processes, probes, ports, logs and a real store for walks; what an effect may do is held. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Fabric } from '../../../actors/workload/ports/fabric.ts';
import type { WorkloadPorts } from '../../../actors/workload/ports/instance.ts';
import type { LaunchSettings } from '../../../machines/workload/instance-rules.ts';
import { DEFAULT_SETTINGS } from '../../../machines/workload/instance-rules.ts';
import type { InstanceRecord } from '../../../machines/workload/instance-record.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createFabric } from '../../../runtime/adapters/fabric.sqlite.ts';
import { createHealthProbe } from '../../../runtime/adapters/health.http.ts';
import { createLogFiles } from '../../../runtime/adapters/log-files.fs.ts';
import { createPortPicker } from '../../../runtime/adapters/port-picker.ts';
import { createProcesses } from '../../../runtime/adapters/processes.execa.ts';
import { systemRandom } from '../../../runtime/adapters/random.system.ts';
import { scratch } from '../scratch.ts';

const SERVICE = fileURLToPath(new URL('../sample-services/http-service.mjs', import.meta.url));
const UNTIL_MS = 10_000;

/** One port picker for all worlds of a spec: two of them must not hand out the same port. */
const ports = createPortPicker({ clock: systemClock, random: systemRandom });

/** Polls the outside world; fails when it does not come to hold in time. */
export async function until(what: () => string, holds: () => Promise<boolean> | boolean) {
  const deadline = performance.now() + UNTIL_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited ${UNTIL_MS} ms: ${what()}`);
    await new Promise((resolve) => void setTimeout(resolve, 2));
  }
}

/** A state folder, its store, and the processes that carry its id. */
export class RealWorld implements AsyncDisposable {
  readonly #folder = scratch();
  readonly homeId = systemRandom.hex(16);
  readonly processes = createProcesses({ clock: systemClock });
  readonly fabric: Fabric = createFabric({
    path: this.#folder.file('fabric.sqlite'),
    clock: systemClock,
  });
  /** What the sample service is to do, by instance; default: healthy once it is told to be. */
  readonly modes = new Map<string, string>();
  settings: LaunchSettings = {
    ...DEFAULT_SETTINGS,
    startTimeoutMs: 60_000,
    intervalMs: 20,
    warmupMs: 1,
    drainTimeoutMs: 500,
  };

  #signOf = (instance: string): string => this.#folder.file(`${instance}.healthy`);

  /** Its health path answers 200 from now on, or 503. */
  setHealthy(instance: string, isHealthy: boolean): void {
    if (isHealthy) writeFileSync(this.#signOf(instance), '');
    else rmSync(this.#signOf(instance), { force: true });
  }

  /** What instances need of the world; `tree` and what is held come from the walk. */
  ports(): Omit<WorkloadPorts, 'tree'> {
    const { fabric, processes, homeId } = this;
    return {
      fabric,
      processes,
      homeId,
      ports,
      clock: systemClock,
      random: systemRandom,
      health: createHealthProbe({ clock: systemClock }),
      logs: createLogFiles({ folder: this.#folder.file('logs'), clock: systemClock }),
      files: {
        prepare: ({ instance }) => Promise.resolve(this.filesOf(instance)),
        settings: () => Promise.resolve(this.settings),
        discard: () => Promise.resolve(),
      },
      requests: { drain: () => Promise.resolve({ cancelled: 0 }) },
      notice: () => undefined,
      onRuntimeDeath: 'kill',
    };
  }

  filesOf(instance: string) {
    const commanded = `healthy_when:${this.#signOf(instance)},ignore_sigterm`;
    const folder = this.#folder.file(instance);
    mkdirSync(folder, { recursive: true });
    return {
      settings: this.settings,
      command: process.execPath,
      args: [SERVICE],
      env: { SAMPLE_MODE: this.modes.get(instance) ?? commanded },
      folder,
    };
  }

  /** Starts a process as a runtime before this one would have, and records it. */
  async serve(record: InstanceRecord): Promise<InstanceRecord> {
    const { command, args, env, folder } = this.filesOf(record.instance);
    const port = await ports.pick();
    const identity = await this.processes.spawn({
      instance: record.instance,
      command,
      args,
      env: { ...env, PORT: String(port), MESH_HOME_ID: this.homeId },
      cwd: folder,
      token: record.token,
      logPath: this.#folder.file(`${record.instance}.log`),
      onRuntimeDeath: 'kill',
    });
    // From here on it ignores SIGTERM, too.
    await until(
      () => `${record.instance} listens`,
      async () => (await this.processes.listenerOf(identity, port)) === 'own',
    );
    const served = { ...record, process: identity, port };
    await this.fabric.recordInstance(served);
    return served;
  }

  async recordOf(instance: string): Promise<InstanceRecord | undefined> {
    return (await this.fabric.instances()).find((record) => record.instance === instance);
  }

  /** `kill -9` of one instance, as soon as it runs. */
  async kill(instance: string): Promise<void> {
    let record: InstanceRecord | undefined;
    await until(
      () => `${instance} has a process`,
      async () => Boolean((record = await this.recordOf(instance))?.process),
    );
    this.setHealthy(instance, false);
    if (record?.process) await this.processes.signal(record.process, 'SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await until(
      () => 'an end of all processes',
      async () => {
        const left = await this.processes.strays(this.homeId, new Set());
        for (const identity of left) await this.processes.signal(identity, 'SIGKILL');
        return left.length === 0;
      },
    );
    await this.fabric.close();
    this.#folder[Symbol.dispose]();
  }
}
