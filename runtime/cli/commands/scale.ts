import { connectControl } from '../../control/client.ts';
import type { Run } from '../command.ts';
import { cliError } from '../errors.ts';
import { followDeployment } from '../follow-deployment.ts';
import { count } from '../option-values.ts';

const COUNTS = { min: 0, max: 1_000 };

export const run: Run = async (invocation) => {
  const min = count(invocation, 'min', COUNTS) ?? 1;
  const max = count(invocation, 'max', COUNTS) ?? min;
  if (min > max)
    throw cliError('MESH_ERR_CLI_USAGE', `--min ${String(min)} is over --max ${String(max)}.`);
  const control = connectControl(invocation.home);
  const plan = await control.scale({ app: invocation.args['app'] ?? '', min, max });
  return followDeployment(invocation, control, plan);
};
