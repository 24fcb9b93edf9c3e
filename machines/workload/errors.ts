import { errorsOf } from '../kernel/coded-error.ts';
import type { ErrorTable } from '../kernel/coded-error.ts';

/** What can go wrong with instances and rollouts. */
export const WORKLOAD_ERRORS = {
  MESH_ERR_INSTANCE_EXITED: {
    hint: 'Read its last log lines with `mesh logs APP`; it has to keep running and listen on $PORT.',
    explain:
      'The process of an instance ended by itself, before it was ready or while it served. The exit code or the signal says how. A program that daemonises itself reads the same: run it in the foreground.',
  },
  MESH_ERR_INSTANCE_GONE: {
    hint: 'Nothing needs doing: the agent starts a new one.',
    explain:
      'After a restart of the runtime, a recorded instance was looked for and its process is not there any more. It ended while nobody watched.',
  },
  MESH_ERR_INSTANCE_FAILED: {
    hint: 'Read the message, then the log of the runtime.',
    explain: 'A step of a launch failed with an error that has no code of its own.',
  },
  MESH_ERR_INSTANCE_PREPARE_TIMEOUT: {
    retryable: true,
    hint: 'Check the load and the free space of the disk that holds MESH_HOME.',
    explain: 'Verifying and unpacking the spore took longer than 120 seconds, and was given up.',
  },
  MESH_ERR_INSTANCE_SPAWN_TIMEOUT: {
    retryable: true,
    hint: 'Check memory and process limits of the machine.',
    explain: 'Starting the process took longer than 15 seconds, and was given up.',
  },
  MESH_ERR_INSTANCE_NOT_HEALTHY: {
    hint: 'Make it listen on 127.0.0.1:$PORT and answer its health path with 200, or raise health.startTimeoutMs.',
    explain:
      'The process runs, but its health path did not answer 200 within health.startTimeoutMs. What the last probe saw is in `lastProbe`. Only status 200 counts; a redirect does not.',
  },
  MESH_ERR_INSTANCE_PORT_HIJACKED: {
    retryable: true,
    hint: 'Find who took the port with `ss -ltnp`, then run the deployment again.',
    explain:
      'The health path answered, but the listener on the port belongs to a process outside of the instance. Its answer proves nothing, so the launch failed.',
  },
  MESH_ERR_INSTANCE_UNHEALTHY: {
    hint: 'Read its log; the health path failed health.failuresMax times in a row.',
    explain:
      'An instance that had been healthy stopped answering its health path. It was ended, and is started again with back-off.',
  },
  MESH_ERR_INSTANCE_SILENT: {
    hint: 'Report it with the log of the runtime: an instance always ends one of its steps.',
    explain: 'A candidate neither became ready nor ended within ten minutes.',
  },
  MESH_ERR_ROLLOUT_TIMEOUT: {
    retryable: true,
    hint: 'See with `mesh tree` whether the agents are running.',
    explain:
      'The slots of a deployment reported no progress for ten minutes, so the deployment was reverted.',
  },
} as const satisfies ErrorTable;

/** Makes an error of this table. */
export const workloadError = errorsOf(WORKLOAD_ERRORS);
