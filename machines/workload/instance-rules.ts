/**
 * The words and rules of an instance: what it is given, what it knows, what it tells, how long each
 * step may take, and how its failure reads. `instance.machine.ts` applies them.
 */
import type { InstanceRecord, ProcessExit, ProcessIdentity } from './instance-record.ts';
import type { IdentityPolicy } from './manifest.schema.ts';
import type { Reason } from './plan.ts';

/** What the manifest asks of a launch; milliseconds. */
export interface LaunchSettings {
  readonly healthPath: string;
  readonly startTimeoutMs: number;
  readonly intervalMs: number;
  readonly failuresMax: number;
  readonly warmupMs: number;
  readonly drainTimeoutMs: number;
  /** Absent until the manifest is read: there is nothing to ask for yet. */
  readonly identity?: IdentityPolicy;
  /** The instance speaks TLS with its mesh certificate. */
  readonly tls?: 'mesh';
}

/** Verified files, ready to be executed. */
export interface PreparedFiles {
  readonly settings: LaunchSettings;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
}

/** A process that runs, and where it shall listen. */
export interface StartedProcess {
  readonly process: ProcessIdentity;
  readonly port: number;
}

/** What the health effects look at. */
export interface HealthWatch {
  /** Whose mesh certificate is shown, where the instance speaks TLS. */
  readonly owner: Pick<InstanceRecord, 'app' | 'node' | 'instance' | 'digest'>;
  readonly process: ProcessIdentity | null;
  readonly port: number | null;
  readonly settings: LaunchSettings;
}

export interface InstanceInput {
  readonly record: InstanceRecord;
  /** The process lives already; it is taken over, not started. */
  readonly adopt: boolean;
}

export interface InstanceContext extends InstanceInput {
  readonly files: PreparedFiles | null;
  readonly process: ProcessIdentity | null;
  readonly port: number | null;
  readonly settings: LaunchSettings;
  readonly failedProbes: number;
  readonly lastProbe: string | null;
  readonly exit: ProcessExit | null;
  readonly failure: Reason | null;
  /** Why it is being ended: nobody's fault, when it was asked for. */
  readonly isAsked: boolean;
}

export type InstanceCommand = { type: 'drain' } | { type: 'abort' } | { type: 'stop' };
export type InstanceFact =
  | { type: 'process.exited'; exit: ProcessExit }
  | { type: 'health.passed' }
  | { type: 'health.failed'; message: string }
  | { type: 'port.hijacked' };
export type InstanceEvent = InstanceCommand | InstanceFact;

/** What an instance tells its agent/app machine. */
export type InstanceNews =
  | { readonly type: 'instance.ready'; readonly instance: string; readonly port: number }
  | {
      readonly type: 'instance.ended';
      readonly instance: string;
      /** Null when its end was asked for. */
      readonly reason: Reason | null;
      /** In [0, 1), for the back-off of whoever respawns it. */
      readonly jitter: number;
    };

export interface InstanceOutput {
  readonly failure: Reason | null;
}

/** Resolving, verifying and extracting a large spore takes seconds; beyond this it hangs. */
export const PREPARE_TIMEOUT_MS = 120_000;
/** Waiting for the first mesh certificate ends before; this is for an effect that does not. */
export const CERTIFY_TIMEOUT_MS = 30_000;
/** fork and exec take milliseconds; beyond this the machine is out of memory or worse. */
export const SPAWN_TIMEOUT_MS = 15_000;
/** From SIGTERM to SIGKILL: what Docker and systemd users expect to be short, and programs know. */
export const TERMINATE_TIMEOUT_MS = 5_000;
/** A killed process that is not gone by then stands in the kernel (state D); it is given up. */
export const KILL_TIMEOUT_MS = 10_000;
/** The drain effect ends at its own deadline; this is for an effect that does not. */
export const DRAIN_GRACE_MS = 2_000;
/** Files and records of the dead: never a reason to wait for long. */
export const REAP_TIMEOUT_MS = 10_000;
/** Until the manifest is read: the manifest's own defaults. */
export const DEFAULT_SETTINGS: LaunchSettings = {
  healthPath: '/health',
  startTimeoutMs: 6_000,
  intervalMs: 1_000,
  failuresMax: 3,
  warmupMs: 200,
  drainTimeoutMs: 10_000,
};

export const isBeyondTolerance = (failedProbes: number, failuresMax: number): boolean =>
  failedProbes >= failuresMax;

/** How an unasked exit reads to an operator. */
export function exitReason(instance: string, exit: ProcessExit, lastProbe: string | null): Reason {
  const how =
    exit.signal !== null
      ? `was ended by ${exit.signal}`
      : exit.exitCode !== null
        ? `exited with code ${exit.exitCode}`
        : 'is gone';
  const { exitCode, signal } = exit;
  return {
    code: 'MESH_ERR_INSTANCE_EXITED',
    message: `The process ${how}.`,
    instance,
    exitCode,
    signal,
    lastProbe,
  };
}

/** What a rejected effect says of itself; never a stack. */
export function reasonOf(error: unknown, instance?: string): Reason {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return {
    code: typeof code === 'string' ? code : 'MESH_ERR_INSTANCE_FAILED',
    message: typeof message === 'string' ? message : String(error),
    ...(instance === undefined ? {} : { instance }),
  };
}

export type FailureCode =
  | 'MESH_ERR_INSTANCE_PREPARE_TIMEOUT'
  | 'MESH_ERR_CERTIFICATE_TIMEOUT'
  | 'MESH_ERR_INSTANCE_SPAWN_TIMEOUT'
  | 'MESH_ERR_INSTANCE_NOT_HEALTHY'
  | 'MESH_ERR_INSTANCE_PORT_HIJACKED'
  | 'MESH_ERR_INSTANCE_UNHEALTHY';

const FAILURES: Readonly<Record<FailureCode, string>> = {
  MESH_ERR_INSTANCE_PREPARE_TIMEOUT: 'Verifying and unpacking the spore did not end in time.',
  MESH_ERR_CERTIFICATE_TIMEOUT: 'The Coordinator did not give a mesh certificate in time.',
  MESH_ERR_INSTANCE_SPAWN_TIMEOUT: 'The process could not be started in time.',
  MESH_ERR_INSTANCE_NOT_HEALTHY: 'The health path never answered 200 within startTimeoutMs.',
  MESH_ERR_INSTANCE_PORT_HIJACKED: 'Another process listens on the port of this instance.',
  MESH_ERR_INSTANCE_UNHEALTHY: 'The health path failed failuresMax times in a row.',
};

/** What the machine itself finds wrong, in its words. */
export const failureOf = (
  code: FailureCode,
  instance: string,
  lastProbe: string | null,
): Reason => ({
  code,
  message: FAILURES[code],
  instance,
  lastProbe,
});

const ownerOf = ({ app, node, instance, digest }: InstanceRecord): HealthWatch['owner'] => ({
  app,
  node,
  instance,
  digest,
});

/** What the health effects need of the context. */
export const healthWatchOf = ({
  record,
  process,
  port,
  settings,
}: Pick<InstanceContext, 'record' | 'process' | 'port' | 'settings'>): HealthWatch => ({
  owner: ownerOf(record),
  process,
  port,
  settings,
});
