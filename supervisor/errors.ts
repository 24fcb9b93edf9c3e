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
  MESH_ERR_SUPERVISOR_EVENT_INVALID: {
    hint: 'Send an object whose type is a string that does not begin with "xstate.".',
    explain:
      'An event was refused before it was sent: it is not an object with a `type`, or its type is one ' +
      'that XState keeps for itself, with which an actor would be stopped or taken for ended without ' +
      'its supervisor.',
  },
  MESH_ERR_SUPERVISOR_ASK_INVALID: {
    hint: 'Give a timeoutMs above 0 and below infinity.',
    explain:
      'A question was refused before it was asked, because its time to wait is not a finite number ' +
      'above 0. Every wait has an end.',
  },
  MESH_ERR_SUPERVISOR_ASK_UNREACHABLE: {
    retryable: true,
    hint: 'Check the path; if the child restarts, ask again when it is up.',
    explain:
      'No actor got the question: the path names nobody, a supervisor or a child that does not run; its ' +
      'mailbox was full; its mail was lost in a restart; or too many questions wait in this tree.',
  },
  MESH_ERR_SUPERVISOR_ASK_UNANSWERED: {
    hint: 'Look at the reports of the asked actor: it may have crashed of this question.',
    explain:
      'The asked actor had the question before it and ended before it answered. Whether it did what it ' +
      'was asked is unknown, so it is not asked again by itself.',
  },
  MESH_ERR_SUPERVISOR_ASK_TIMED_OUT: {
    retryable: true,
    hint: 'Check that the actor answers this event in its present state, or raise timeoutMs.',
    explain:
      'The actor lives and did not answer within `timeoutMs`. An answer that comes later is a dead ' +
      'letter with the reason `late_answer`.',
  },
  MESH_ERR_SUPERVISOR_XSTATE_UNSUPPORTED: {
    hint: 'Install the XState version that this package pins.',
    explain:
      'The supervisor drives actors through parts of XState that are stable in shape but not public. ' +
      'The installed version does not have them, so nothing was started.',
  },
  MESH_ERR_SUPERVISOR_THREAD_LOGIC_INLINE: {
    hint: 'Export the logic from a module and name it with threadLogic({ module, export }).',
    explain:
      "A child with `placement: 'thread'` was given its logic as an object. Logic holds functions, and " +
      'functions cannot cross to another thread. The thread has to load the logic itself, so it is ' +
      'named by the URL of its module and by its export.',
  },
  MESH_ERR_SUPERVISOR_THREAD_UNPLACED: {
    hint: "Give it to a child spec with placement: 'thread'; elsewhere, use the logic itself.",
    explain:
      'What `threadLogic` returns only names logic that a thread is to load. It was used where XState ' +
      'itself starts an actor: by `createActor`, `invoke` or `spawn`.',
  },
  MESH_ERR_SUPERVISOR_THREADS_MISSING: {
    hint: 'Use startTree, or give createTree its `threads` option.',
    explain:
      "The tree has a child with `placement: 'thread'`, and was created without the port that starts " +
      'threads. `startTree` gives one of its own accord.',
  },
  MESH_ERR_SUPERVISOR_THREADS_EXHAUSTED: {
    retryable: true,
    hint: 'Place fewer children in threads, or give createThreads a larger threadsMax.',
    explain:
      'Each child with `placement: thread` has a thread of its own, which costs several MiB. As many ' +
      'as `threadsMax` were running, so one more was refused and the start of its child failed.',
  },
  MESH_ERR_SUPERVISOR_THREAD_MODULE_FAILED: {
    hint: 'Look at the cause; give the URL as new URL(path, import.meta.url).',
    explain:
      'A thread could not load the module that its child names: there is no such file, it does not ' +
      'parse, one of its imports is missing, or it threw while it was evaluated.',
  },
  MESH_ERR_SUPERVISOR_THREAD_EXPORT_MISSING: {
    hint: 'Correct the name of the export, or export the logic from the module.',
    explain:
      'The module was loaded in the thread, and exports no XState logic under the name that the child ' +
      'spec gives. `details.exports` lists what it does export.',
  },
  MESH_ERR_SUPERVISOR_THREAD_UNCLONABLE: {
    hint: 'Send plain data: no functions, promises, sockets or actor references.',
    explain:
      'Events, input, output and snapshots of a child in a thread are copied by structured clone. ' +
      'Something that cannot be copied was to cross; the message says what and where. An event is ' +
      'refused when it is sent; input and snapshots fail the child.',
  },
  MESH_ERR_SUPERVISOR_THREAD_BLOCKED: {
    hint: 'Break the computation up, or raise heartbeatTimeoutMs if it is meant to take so long.',
    explain:
      'The thread of this child did not come back to its event loop for `heartbeatTimeoutMs`: an ' +
      'endless or very long computation. The thread was ended, which also ends the computation, and ' +
      'the restart type of the child decides what comes next.',
  },
  MESH_ERR_SUPERVISOR_THREAD_OUT_OF_MEMORY: {
    hint: 'Find what the child keeps, or raise its resourceLimits.',
    explain:
      'The thread of this child reached its memory limit (`resourceLimits`, or that of Node) and was ' +
      'ended by the runtime. No other child is affected.',
  },
  MESH_ERR_SUPERVISOR_THREAD_EXITED: {
    hint: 'Remove process.exit from what the child runs.',
    explain:
      'The thread of this child ended although its actor had not: something in it called ' +
      '`process.exit`, which in a thread ends that thread only.',
  },
  MESH_ERR_SUPERVISOR_OBSERVER_FAILED: {
    hint: 'Mend the observer that the cause comes from.',
    explain:
      'A function given to `tree.inspect` threw. It was removed, so that it can neither disturb the ' +
      'actors nor the other observers; call `inspect` again when it is mended.',
  },
} as const;

/** Makes an error of the supervisor; family and hint come from its row. */
export const supervisorError = errorsOf(SUPERVISOR_ERRORS);
