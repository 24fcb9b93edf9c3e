import type { Revision } from './plan.ts';

/** A pid alone is reused; these four together name one process for ever. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat. */
  readonly startTicks: number;
  /** /proc/sys/kernel/random/boot_id. */
  readonly bootId: string;
  /** Random, in the environment of the process as MESH_TOKEN. */
  readonly token: string;
}

export type InstanceRole = 'active' | 'candidate' | 'retired';

/**
 * One instance, as it must be known to a runtime that finds it alive. The record is durable before
 * the process exists, so that a process never exists without one.
 */
export interface InstanceRecord extends Revision {
  /** Unique for ever, also the name of its folder and its log file. */
  readonly instance: string;
  readonly app: string;
  readonly node: string;
  readonly ordinal: number;
  readonly generation: number;
  readonly version: string;
  readonly role: InstanceRole;
  readonly token: string;
  /** Null until the process was started. */
  readonly process: ProcessIdentity | null;
  readonly port: number | null;
  readonly createdAtMs: number;
}

/** How a process ended; both null when it was not our child and only its end was seen. */
export interface ProcessExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}
