import { errorsOf } from '../kernel/coded-error.ts';

/** What can go wrong with OS processes, their ports and their logs. */
export const PROCESS_ERRORS = {
  MESH_ERR_PROCESS_PLATFORM_UNSUPPORTED: {
    hint: 'Run the mesh on Linux with /proc mounted.',
    explain:
      'Processes are named by pid, start time and boot id, and their groups and sockets are found ' +
      'through /proc. Without it a reused pid could not be told from an instance, so nothing is ' +
      'started at all.',
  },
  MESH_ERR_PROCESS_PROGRAM_MISSING: {
    hint: 'Install the program, or name a path or a PATH in the manifest where it is found.',
    explain:
      'The command of an instance was neither a file nor found in the folders of the PATH that the ' +
      "instance's environment has. The runtime's own PATH is not consulted.",
  },
  MESH_ERR_PROCESS_NOT_EXECUTABLE: {
    hint: 'Give the file its execute permission and a program format or "#!" line valid here.',
    explain:
      'The program exists and the kernel would not execute it: no execute permission, a folder, a ' +
      'file system mounted noexec, a file that is neither ELF for this machine nor starts with ' +
      '"#!", or an interpreter or loader that is missing.',
  },
  MESH_ERR_PROCESS_ARGUMENTS_REFUSED: {
    hint: 'Shorten the arguments and the environment, and keep NUL characters out of them.',
    explain:
      'The kernel takes about 2 MiB of arguments and environment together and 128 KiB for one of ' +
      'them (E2BIG); neither may hold a NUL character.',
  },
  MESH_ERR_PROCESS_SPAWN_FAILED: {
    retryable: true,
    hint: 'Look at the cause; free processes, memory or file descriptors, or raise the limits.',
    explain:
      'The operating system could not start a process now: too many processes (EAGAIN), no memory, ' +
      'no file descriptors, a program file still open for writing (ETXTBSY), or a working folder ' +
      'or log file that cannot be used. The details name the error number.',
  },
  MESH_ERR_PROCESS_SETPRIV_MISSING: {
    hint: 'Install util-linux, which has setpriv, or set onRuntimeDeath to "keep".',
    explain:
      'onRuntimeDeath "kill" asks the kernel to end an instance with the runtime (PR_SET_PDEATHSIG), ' +
      'which is done through the program setpriv of util-linux. Without it the promise could not be ' +
      'kept, so the instance is not started.',
  },
  MESH_ERR_PROCESS_SIGNAL_FAILED: {
    hint: 'Run the mesh as the user who owns the process, or end that process by hand.',
    explain:
      'The kernel refused to signal a process that lives: it belongs to another user, as after a ' +
      'change of user by a set-uid program.',
  },
  MESH_ERR_PROCESS_GROUP_REMAINS: {
    retryable: true,
    hint: 'Look at the processes named in the details; a stuck disk or network mount holds them.',
    explain:
      'The leader of a process group ended, SIGKILL was sent to what was left, and members were ' +
      'still there at the deadline: they are stuck inside the kernel or start new ones faster than ' +
      'they are killed.',
  },
  MESH_ERR_PROCESS_PORTS_EXHAUSTED: {
    retryable: true,
    hint: 'Stop programs that hold many ports, or widen the range that instances may use.',
    explain:
      'No free TCP port was found for an instance: those tried were in use, or had been handed out ' +
      'within the last minute.',
  },
  MESH_ERR_LOGS_FAILED: {
    retryable: true,
    hint: 'Check space and permissions of the log folder.',
    explain:
      'A log file or its folder could not be made, read or rotated. The cause has the error of the ' +
      'file system.',
  },
} as const;

/** Makes an error of this table. */
export const processError = errorsOf(PROCESS_ERRORS);
