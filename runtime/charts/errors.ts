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
  MESH_ERR_CHART_COVERAGE: {
    hint: 'Make it anew with `mesh machine test NAME --coverage FILE`.',
    explain:
      'A file that says how often each transition of a machine was taken cannot be read or written, ' +
      'or is something else.',
  },
} as const;

/** Throws with a row of CHART_ERRORS. */
export const chartError = errorsOf(CHART_ERRORS);
