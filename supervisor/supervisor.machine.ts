/**
 * The states that a supervisor goes through, drawn as a chart. It decides nothing: `supervisor.ts`
 * is an object so that breadth costs nothing, and a spec holds every change of its status against
 * this chart. The visualizer shows it.
 */
import { setup } from 'xstate';

/** What moves a supervisor from state to state. */
export type SupervisorEvent =
  | { type: 'start' }
  /** All children of the start, or of a group restart, are ready. */
  | { type: 'children.started' }
  /** A child ended and its strategy restarts a group. */
  | { type: 'group.ended' }
  /** Asked to stop, given up, a significant child ended, or a child failed to start. */
  | { type: 'stop' }
  | { type: 'children.stopped' }
  /** Its own time to stop is over. */
  | { type: 'kill' };

/** The chart. */
export const supervisorMachine = setup({
  types: {} as { events: SupervisorEvent },
}).createMachine({
  id: 'supervisor',
  initial: 'idle',
  on: { kill: '.stopped' },
  states: {
    idle: { on: { start: 'starting' } },
    starting: { on: { 'children.started': 'running', stop: 'stopping' } },
    running: { on: { 'group.ended': 'restarting', stop: 'stopping' } },
    restarting: {
      on: { 'children.started': 'running', 'group.ended': 'restarting', stop: 'stopping' },
    },
    stopping: { on: { 'children.stopped': 'stopped' } },
    stopped: { type: 'final' },
  },
});
