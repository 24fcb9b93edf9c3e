import { join } from 'node:path';
import type { AnyStateMachine } from 'xstate';
import { findMachine, moduleOf } from '../../../charts/catalog.ts';
import { writeCoverage } from '../../../charts/coverage.ts';
import { chartError } from '../../../charts/errors.ts';
import { homePaths } from '../../../home.ts';
import type { ModelOptions } from '../../../testing/model-paths.ts';
import { testMachine } from '../../../testing/test-machine.ts';
import type { MachineTest } from '../../../testing/test-machine.ts';
import type { Invocation, Run } from '../../command.ts';
import { text } from '../../option-values.ts';

type Model = Partial<ModelOptions<AnyStateMachine>>;

/** Walks a machine through everything that it can do; its effects do not run. */
export const run: Run = async (invocation) => {
  const { args, options, out } = invocation;
  const machine = await findMachine(args['machine'] ?? '');
  const wanted = text(options['model']);
  const tested = testMachine(machine, wanted === undefined ? {} : await modelOf(wanted));
  const file = coverageFile(invocation, tested.machine);
  if (file !== undefined) await writeCoverage(file, tested.coverage);
  const [failure] = tested.failures;
  if (failure !== undefined)
    throw chartError(
      'MESH_ERR_CHART_TEST_FAILED',
      `${tested.machine}, ${failure.state}: ${failure.event} threw: ${failure.message}\n\n` +
        `${failure.mermaid}\n${tested.failures.length} steps failed.`,
      { details: { failures: tested.failures } },
    );
  const { transitions } = tested.coverage;
  const covered = transitions.filter(({ count }) => count > 0).length;
  const { coverage: _, failures: __, ...facts } = tested;
  out.data({ ...facts, covered, total: transitions.length, file: file ?? null }, () =>
    summary(tested, covered, file),
  );
};

function summary(
  { machine, states, steps, coverage, uncovered }: MachineTest,
  covered: number,
  file: string | undefined,
): string {
  const { length } = coverage.transitions;
  const lines = [
    `${machine}: ${states} states, ${steps} steps, ${covered} of ${length} transitions taken`,
    ...uncovered.map((name) => `  not taken  ${name}`),
    ...(file === undefined ? [] : [`  coverage   ${file}`]),
  ];
  return lines.join('\n');
}

/** Where it was asked for: in that file, or beside the others of the state folder. */
function coverageFile({ options, home }: Invocation, machine: string): string | undefined {
  const asked = options['coverage'];
  if (asked === undefined) return undefined;
  const name = `${machine.replace(/[^\w.-]/g, '_')}.json`;
  return text(asked) ?? join(homePaths(home).coverage, name);
}

/** `MODULE#EXPORT`, or the module's default. MESH_ERR_CHART_MODULE. */
async function modelOf(name: string): Promise<Model> {
  const [path = '', wanted = 'default'] = name.split('#');
  const model = (await moduleOf(name, path))[wanted];
  if (typeof model === 'object' && model !== null) return model;
  throw chartError(
    'MESH_ERR_CHART_MODULE',
    `Looking for a model in ${name}: there is no ${wanted}.`,
  );
}
