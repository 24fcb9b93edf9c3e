import { errorsOf } from '../../machines/kernel/coded-error.ts';

/** What can be wrong about a machine that is to be drawn. */
export const CHART_ERRORS = {
  MESH_ERR_CHART_UNKNOWN: {
    hint: 'List the machines with `mesh machine ls`, or give the path of a module.',
    explain:
      'No machine of this package has that name, and it does not look like a path: a path has a ' +
      'slash or the ending of a JavaScript or TypeScript file.',
  },
  MESH_ERR_CHART_MODULE: {
    hint: 'Export the machine, and name it as in `./door.machine.ts#doorMachine`.',
    explain:
      'The module that should have the machine could not be loaded, or it exports none, or it ' +
      'exports several and none was named. Loading a module runs it, so load only your own.',
  },
  MESH_ERR_CHART_MODEL: {
    hint: 'Give input, samples of events and `serialize` with --model MODULE#EXPORT.',
    explain:
      'A machine could not be walked: it needs an input, or its context counts without end, so that ' +
      'there is always another state. A model says how it begins (`input`), what may happen to it ' +
      '(`samples`, `outputs`, `errors`) and what tells two of its states apart (`serialize`).',
  },
  MESH_ERR_CHART_TEST_FAILED: {
    hint: 'Mend what threw, or give samples of the events with --model MODULE#EXPORT.',
    explain:
      'A guard or an action of the machine threw while everything that the machine can do was done. ' +
      'The message shows the shortest way there as a Mermaid diagram. Without a model the events ' +
      'come bare, and a machine that reads their data throws.',
  },
  MESH_ERR_CHART_COVERAGE: {
    hint: 'Make it anew with `mesh machine test NAME --coverage FILE`.',
    explain:
      'A file that says how often each transition of a machine was taken cannot be read or written, ' +
      'or is something else.',
  },
} as const;

/** Throws with a row of CHART_ERRORS. */
export const chartError = errorsOf(CHART_ERRORS);
