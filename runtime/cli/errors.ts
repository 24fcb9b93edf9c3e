import { errorsOf } from '../../machines/kernel/coded-error.ts';

/** What the command itself has to say; everything else comes from the domain that found it. */
export const CLI_ERRORS = {
  MESH_ERR_CLI_USAGE: {
    hint: 'See `mesh --help`, or `mesh COMMAND --help`.',
    explain:
      'The command line cannot be understood: an unknown command or option, a missing argument, a ' +
      'value out of its range. Nothing was done.',
  },
  MESH_ERR_CLI_CONFIG_INVALID: {
    hint: 'Correct the line that the message names.',
    explain:
      'The project file `mesh.toml` is not TOML, or has a key that is not known or a value of the ' +
      'wrong kind. Flags come before MESH_* variables, those before the project file, and that ' +
      'before the defaults; `mesh doctor` shows what came of it.',
  },
  MESH_ERR_CLI_CONFIG_UNREADABLE: {
    hint: 'Give the path of a readable file.',
    explain: 'The project file exists or was asked for with --config, and cannot be read.',
  },
  MESH_ERR_CLI_UNKNOWN_CODE: {
    hint: 'List all codes with `mesh explain`.',
    explain: '`mesh explain` was asked for a code that no table of this version has.',
  },
  MESH_ERR_CLI_VERIFICATION_FAILED: {
    hint: 'Do not run this file; ask whoever gave it to you.',
    explain:
      'At least one of the five checks of `mesh verify` failed: format, digest, signature, trust, ' +
      'policy. Each failed check names a code of its own, which `mesh explain` knows.',
  },
  MESH_ERR_CLI_DEPLOYMENT_REVERTED: {
    hint: 'Mend what the reason names, build and publish again; see `mesh history APP`.',
    explain:
      'The new instances did not come up, so the mesh went back to the revision that served before. ' +
      'No request was lost, but what was asked for does not run. The reason has the exit code, the ' +
      'last health probe and the last lines of the log.',
  },
  MESH_ERR_CLI_DEPLOYMENT_FAILED: {
    hint: 'Mend what the reason names, build and publish again; see `mesh logs APP`.',
    explain:
      'The instances did not come up, and there was no earlier revision to go back to: the app ' +
      'does not run.',
  },
  MESH_ERR_CLI_DEPLOYMENT_OVERTAKEN: {
    hint: 'See with `mesh history APP` who changed the plan meanwhile.',
    explain:
      'A newer plan for the same app (another run, a scale, a rollback, a stop) was published while ' +
      'this deployment was under way. The newest plan wins; this one was cancelled.',
  },
  MESH_ERR_CLI_INPUT: {
    hint: 'Name a readable file of the kind that the command takes.',
    explain: 'A file that the command was given could not be read, or is not of the due kind.',
  },
  MESH_ERR_CLI_OUTPUT: {
    hint: 'Name a file in a folder that exists and is writable.',
    explain: 'The file that was asked for with --out could not be written.',
  },
  MESH_ERR_CLI_TIMED_OUT: {
    retryable: true,
    hint: 'Look at `mesh status APP`; follow for longer with --timeout.',
    explain:
      'The deployment did not end within the time that the command was willing to follow it. It ' +
      'goes on in the mesh.',
  },
  MESH_ERR_CLI_DETACHED: {
    hint: 'See how it ends with `mesh status APP`.',
    explain:
      'The command was interrupted while it followed a deployment. The deployment goes on in the ' +
      'mesh: interrupting the follower never changes what is deployed.',
  },
  MESH_ERR_CLI_MESH_ENDED: {
    hint: 'Look at the reports above, then start the mesh again.',
    explain:
      'The supervision tree of the mesh gave up: more crashes than its intensity allows, up to the ' +
      'root. The instances that it leaves are adopted by the next start.',
  },
  MESH_ERR_CLI_SERVICE_ENDED: {
    hint: 'Look at the lines above, then start it again.',
    explain:
      'A relay or a peer that ran in the foreground gave up: more crashes than its supervisor allows. ' +
      'What it had acknowledged is in its database, and the next start goes on from there.',
  },
  MESH_ERR_CLI_UNHEALTHY: {
    hint: 'Follow the advice that each failed check of `mesh doctor` gives.',
    explain: '`mesh doctor` found at least one thing that keeps a mesh from working here.',
  },
  MESH_ERR_CLI_DEFECT: {
    hint: 'Report it with the command line and the stack that MESH_DEBUG=1 prints.',
    explain:
      'The command failed with an error that has no code of its own, which is a defect of the ' +
      'program and not of its input.',
  },
} as const;

/** A coded error of the command line. */
export const cliError = errorsOf(CLI_ERRORS);
