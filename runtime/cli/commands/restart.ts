import { connectControl } from '../../control/client.ts';
import type { Run } from '../command.ts';
import { followDeployment } from '../follow-deployment.ts';

export const run: Run = async (invocation) => {
  const control = connectControl(invocation.home);
  return followDeployment(invocation, control, await control.restart(invocation.args['app'] ?? ''));
};
