import { errorsOf } from '../machines/kernel/coded-error.ts';

/** Every error of the supervisor, by code. */
export const SUPERVISOR_ERRORS = {
  MESH_ERR_SUPERVISOR_SPEC_INVALID: {
    hint: 'Correct the field that the message names.',
    explain:
      'A child spec or a supervisor spec was refused before anything was started: an id is missing, ' +
      'empty, holds a slash or occurs twice; a number is negative or not finite; a literal is not one ' +
      'of those listed; or two fields contradict each other, such as `significant` with a permanent ' +
      'child. `details.field` and `details.found` say which and what.',
  },
  MESH_ERR_SUPERVISOR_START_FAILED: {
    hint: 'Look at the cause: it is the error of the child that did not start.',
    explain:
      'A supervisor starts its children in order, each ready before the next. One of them crashed or ' +
      'was not ready in time, so those already started were stopped in reverse order and the ' +
      'supervisor itself failed. The cause names the child and what it met.',
  },
  MESH_ERR_SUPERVISOR_START_TIMED_OUT: {
    retryable: true,
    hint: 'Check what the child waits for, or raise its startTimeoutMs.',
    explain:
      'The child was started, but its `ready` predicate did not hold within `startTimeoutMs`. It was ' +
      'stopped, and this counts as a failed start.',
  },
  MESH_ERR_SUPERVISOR_START_ABORTED: {
    hint: 'Start the tree again if the stop was not meant.',
    explain:
      'The child or the tree was asked to stop, or its supervisor ended, before it was ready.',
  },
  MESH_ERR_SUPERVISOR_ENDED_BEFORE_READY: {
    hint: 'Check the ready predicate: the child reached its final state without ever satisfying it.',
    explain:
      'The child has a `ready` predicate and ended normally before the predicate held. Its siblings ' +
      'count on it, so this is a failed start.',
  },
  MESH_ERR_SUPERVISOR_INTENSITY_REACHED: {
    hint: 'Fix the crash in the cause; raise intensity only if such bursts are expected.',
    explain:
      'More than `intensity` restarts were needed within `periodMs`. The supervisor stopped its ' +
      'children and ended with `shutdown`, so that its own supervisor decides. At the root there is ' +
      'nobody left to decide and the tree has ended.',
  },
  MESH_ERR_SUPERVISOR_CHILD_CRASHED: {
    hint: 'Look at the cause.',
    explain:
      'An actor threw, rejected or failed in a way that carries no code of its own. The cause is what ' +
      'it threw; the supervisor applies the restart type of the child.',
  },
  MESH_ERR_SUPERVISOR_XSTATE_UNSUPPORTED: {
    hint: 'Install the XState version that this package pins.',
    explain:
      'The supervisor drives actors through parts of XState that are stable in shape but not public. ' +
      'The installed version does not have them, so nothing was started.',
  },
} as const;

/** Makes an error of the supervisor; family and hint come from its row. */
export const supervisorError = errorsOf(SUPERVISOR_ERRORS);
