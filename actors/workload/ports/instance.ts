import type { Clock } from '../../../machines/kernel/clock.ts';
import type { Digest } from '../../../machines/kernel/ids.ts';
import type { Random } from '../../../machines/kernel/random.ts';
import type { InstanceRecord } from '../../../machines/workload/instance-record.ts';
import type { LaunchSettings, PreparedFiles } from '../../../machines/workload/instance-rules.ts';
import type { Certificates } from './certificates.ts';
import type { Fabric } from './fabric.ts';
import type { HealthProbe, LogFiles, PortPicker, Processes } from './process.ts';
import type { Supervision } from './supervision.ts';

/** Spores as an instance needs them: verified files in a private folder. */
export interface SporeFiles {
  /**
   * Resolves when the verified binary lies in the instance's own folder (0700). Rejects with the
   * codes of verification, of the repo and of extraction. Idempotent per instance.
   */
  prepare(record: InstanceRecord, signal: AbortSignal): Promise<PreparedFiles>;
  /** What the manifest of a published digest says, without touching files of an instance. */
  settings(digest: Digest): Promise<LaunchSettings>;
  /** Removes the instance's folder. Idempotent. */
  discard(instance: string): Promise<void>;
}

/** The edge's side of a farewell. */
export interface RequestDrain {
  /**
   * No new request from now on; resolves when the last one has ended, or at the deadline with the
   * number of those that were cut.
   */
  drain(
    instance: string,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<{ readonly cancelled: number }>;
}

/** Where errors go that no caller waits for; each becomes a log line and is counted. */
export type Notice = (about: string, error: unknown) => void;

/** Everything that the workload actors need of the world. */
export interface WorkloadPorts {
  readonly tree: Supervision;
  readonly fabric: Fabric;
  readonly processes: Processes;
  readonly ports: PortPicker;
  readonly health: HealthProbe;
  readonly logs: LogFiles;
  readonly files: SporeFiles;
  readonly requests: RequestDrain;
  /** Absent: this mesh has no Coordinator. */
  readonly certificates?: Certificates;
  readonly clock: Clock;
  readonly random: Random;
  readonly notice: Notice;
  /** Names this mesh's state folder in the environment of its processes. */
  readonly homeId: string;
  readonly onRuntimeDeath: 'keep' | 'kill';
}
