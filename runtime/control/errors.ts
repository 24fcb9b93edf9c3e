import { errorsOf } from '../../machines/kernel/coded-error.ts';

/** What can go wrong between the command `mesh` and a running mesh. */
export const CONTROL_ERRORS = {
  MESH_ERR_CONTROL_UNREACHABLE: {
    retryable: true,
    hint: 'Start the mesh with `mesh up`, or name its state folder with --home or MESH_HOME.',
    explain:
      'Nobody answers on the control socket `mesh.sock` of the state folder: no mesh runs there, it ' +
      'has just ended, or it belongs to another user. The message names the socket and what the ' +
      'system answered: ENOENT means that no mesh was ever started in this folder, ECONNREFUSED ' +
      'that one ended without removing its socket, EACCES that it is not yours.',
  },
  MESH_ERR_CONTROL_ALREADY_RUNNING: {
    hint: 'Use the mesh that runs, or stop it first, or choose another state folder with --home.',
    explain:
      'One state folder belongs to one running mesh. The lock on `mesh.lock` is held by a living ' +
      'process, or a living process answers on the control socket. The kernel drops the lock with ' +
      'the process, however that ends, so a lock is never stale.',
  },
  MESH_ERR_CONTROL_HOME_UNUSABLE: {
    hint: 'Give the state folder to this user, or choose another one with --home or MESH_HOME.',
    explain:
      'The state folder cannot be made, opened or written: it is a file, it belongs to another user, ' +
      'its file system is read-only or full. The cause has the words of the operating system.',
  },
  MESH_ERR_CONTROL_TIMED_OUT: {
    retryable: true,
    hint: 'Look at `mesh tree` and the log of the mesh, then try again.',
    explain:
      'The mesh took the request and did not answer within the deadline of that operation. What was ' +
      'asked may still happen: look at `mesh status APP` before you ask again.',
  },
  MESH_ERR_CONTROL_DISCONNECTED: {
    retryable: true,
    hint: 'See with `mesh ps` whether the mesh still runs, then ask again.',
    explain:
      'The connection broke after the request was sent and before the answer was complete, mostly ' +
      'because the mesh was stopped or killed. A deployment that was being followed goes on when a ' +
      'mesh is started again in the same state folder.',
  },
  MESH_ERR_CONTROL_INVALID_REQUEST: {
    hint: 'Correct the arguments that the message names.',
    explain:
      'The mesh refused the request as malformed: a missing or unknown field, a value out of its ' +
      'range, a body that is not JSON. Nothing was changed. From the command line this also appears ' +
      'when the command is newer than the mesh that it talks to.',
  },
  MESH_ERR_CONTROL_BODY_TOO_LARGE: {
    hint: 'Send less than 64 KiB.',
    explain:
      'Requests to the control socket carry names and numbers, never files; a body above 64 KiB is ' +
      'refused before it is read to its end.',
  },
  MESH_ERR_CONTROL_UNKNOWN_ROUTE: {
    hint: 'Use the same version of `mesh` for the command and for the running mesh.',
    explain:
      'The mesh does not know the operation. The command and the mesh are of different versions, or ' +
      'something else than `mesh` wrote to the control socket.',
  },
  MESH_ERR_CONTROL_BAD_RESPONSE: {
    hint: 'Use the same version of `mesh` for the command and for the running mesh.',
    explain:
      'What came back over the control socket is not an answer of this protocol: not JSON, or above ' +
      'the size that the command accepts.',
  },
  MESH_ERR_CONTROL_ADMIN_PORT: {
    hint: 'Choose another --admin-port, or 0 for any free one.',
    explain:
      'The port for /metrics, /livez and /readyz on 127.0.0.1 is taken by another process, or this ' +
      'user may not listen on it. The mesh does not start without it, because whoever asked for ' +
      'metrics would not see that they are missing.',
  },
  MESH_ERR_CONTROL_INTERNAL: {
    hint: 'Look into the log of the mesh for the same message, and report it.',
    explain:
      'The mesh failed at the request with an error that has no code of its own, which is a defect ' +
      'of the mesh. The message is the one of the original error; its log has the stack.',
  },
} as const;

/** A coded error of the control socket. */
export const controlError = errorsOf(CONTROL_ERRORS);
