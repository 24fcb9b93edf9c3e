import { existsSync } from 'node:fs';
import { isDigest, isName } from '../../../machines/kernel/ids.ts';
import type { Strategy } from '../../../machines/workload/plan.ts';
import { connectControl } from '../../control/client.ts';
import type { RunRequest } from '../../control/mesh-control.ts';
import type { Invocation, Run } from '../command.ts';
import { cliError } from '../errors.ts';
import { followDeployment } from '../follow-deployment.ts';
import { count, text } from '../option-values.ts';

const COUNTS = { min: 0, max: 1_000 };
const AMOUNTS = { min: 0, max: 1_048_576 };

/** Sets the budget, publishes the plan, and follows it to its end. */
export const run: Run = async (invocation) => {
  const { args, home } = invocation;
  const wanted = { ...rangeOf(invocation), ...planOf(invocation) };
  const control = connectControl(home);
  // Before anything is verified and stored for a mesh that does not run.
  await control.info();
  const digest = await digestOf(args['spore'] ?? '', home);
  return followDeployment(invocation, control, await control.run({ ...wanted, digest }));
};

function rangeOf(invocation: Invocation): Pick<RunRequest, 'min' | 'max'> {
  const min = count(invocation, 'min', COUNTS);
  const max = count(invocation, 'max', COUNTS);
  if ((min ?? 1) > (max ?? Infinity))
    throw cliError('MESH_ERR_CLI_USAGE', `--min ${String(min ?? 1)} is over --max ${String(max)}.`);
  return { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
}

function planOf(invocation: Invocation): Omit<RunRequest, 'digest' | 'min' | 'max'> {
  const app = invocation.args['app'] ?? '';
  if (!isName(app))
    throw cliError(
      'MESH_ERR_CLI_USAGE',
      `"${app}" cannot be the name of an app: lower-case letters, digits and inner hyphens.`,
    );
  const strategy = text(invocation.options['strategy']) as Strategy | undefined;
  const budget = Object.fromEntries(
    [
      ['maxInstances', count(invocation, 'maxInstances', COUNTS)] as const,
      ['cpuMilli', count(invocation, 'cpu', AMOUNTS)] as const,
      ['memoryMb', count(invocation, 'memory', AMOUNTS)] as const,
    ].filter(([, value]) => value !== undefined),
  );
  return {
    app,
    ...(strategy === undefined ? {} : { strategy }),
    ...(invocation.options['anyName'] === true ? { anyName: true } : {}),
    ...(Object.keys(budget).length === 0 ? {} : { budget }),
  };
}

async function digestOf(spore: string, home: string): Promise<string> {
  if (isDigest(spore)) return spore;
  if (!existsSync(spore))
    throw cliError(
      'MESH_ERR_CLI_USAGE',
      `"${spore}" is neither a digest (64 hex digits) nor a file.`,
    );
  const { publishFile } = await import('../publish-file.ts');
  return publishFile(home, spore);
}
