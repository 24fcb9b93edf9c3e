import { errorsOf } from '../../machines/kernel/coded-error.ts';

/** What the inspector refuses, on its port and on its page. */
export const INSPECT_ERRORS = {
  MESH_ERR_INSPECT_PORT: {
    hint: 'Give another port, or 0 for a free one.',
    explain: 'The web server of the inspector could not listen: the port is taken, or not allowed.',
  },
  MESH_ERR_INSPECT_PAGE: {
    hint: 'Run `npm run build:page`, or install the package anew.',
    explain:
      'The page of the inspector is not there. The package has it built; in a clone it is built at ' +
      'the first use, which needs the development packages.',
  },
  MESH_ERR_INSPECT_HOST: {
    hint: 'Open it as 127.0.0.1 or localhost with the port that was printed.',
    explain:
      'The Host of the request is not this server. A foreign page whose name resolves to the ' +
      'loopback would look like this, so it is refused.',
  },
  MESH_ERR_INSPECT_ORIGIN: {
    hint: 'Do it on the page of the inspector.',
    explain:
      'A page of another origin tried to change something. The cookie is not enough for that, so ' +
      'it is refused.',
  },
  MESH_ERR_INSPECT_TOKEN: {
    hint: 'Open the address that `mesh inspect` printed; it works once.',
    explain:
      'Who looks must bring the cookie that the printed token is changed for, and the token is ' +
      'changed once. Start the inspector anew for another.',
  },
  MESH_ERR_INSPECT_READ_ONLY: {
    hint: 'Start it with --allow-send to send events.',
    explain: 'The page may look and not touch, unless the inspector was started to allow it.',
  },
  MESH_ERR_INSPECT_MESSAGE: {
    hint: 'Reload the page.',
    explain: 'A message on the WebSocket of the inspector is none that its page sends.',
  },
  MESH_ERR_INSPECT_REQUEST: {
    hint: 'Reload the page.',
    explain: 'The body of a request to the inspector is too large, or not what it takes.',
  },
  MESH_ERR_INSPECT_RECORDING: {
    hint: 'Make one with `mesh inspect record`.',
    explain:
      'The file is no recording of this program, is larger than one can be, or is damaged in its ' +
      'middle. A recording whose end is missing can be opened, up to there.',
  },
  MESH_ERR_INSPECT_RECORDING_NEWER: {
    hint: 'Open it with the version of mesh that made it, or a later one.',
    explain: 'A later version wrote the recording, in a form that this one does not know.',
  },
  MESH_ERR_INSPECT_FAILED: {
    hint: 'Look at the log of the mesh.',
    explain: 'What a page asked for could not be answered, for a reason that has no code.',
  },
  MESH_ERR_INSPECT_BUSY: {
    retryable: true,
    hint: 'Try again; the rows on the page stay up to date as far as they came.',
    explain:
      'The thread of the actors did not answer in 15 seconds, or too many questions wait. It is ' +
      'busy, or blocked.',
  },
  MESH_ERR_INSPECT_UNKNOWN: {
    hint: 'Look at /api/tree and /api/machines for what there is.',
    explain: 'There is no such actor, machine or address.',
  },
} as const;

/** Throws with a row of INSPECT_ERRORS. */
export const inspectError = errorsOf(INSPECT_ERRORS);
