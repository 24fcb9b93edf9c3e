import { connectControl } from '../../control/client.ts';
import type { Run } from '../command.ts';
import { followDeployment } from '../follow-deployment.ts';
import { cliError } from '../errors.ts';

export const run: Run = async (invocation) => {
  const { args, home } = invocation;
  const said = args['generation'];
  if (said !== undefined && !/^[1-9]\d{0,8}$/.test(said))
    throw cliError('MESH_ERR_CLI_USAGE', `"${said}" is not a generation, such as 3.`);
  const generation = said === undefined ? undefined : Number(said);
  const control = connectControl(home);
  const plan = await control.rollback(args['app'] ?? '', generation);
  return followDeployment(invocation, control, plan);
};
