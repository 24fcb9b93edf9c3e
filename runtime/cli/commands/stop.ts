import { connectControl } from '../../control/client.ts';
import type { Run } from '../command.ts';

/** Resolves when the plan is published; the instances drain after that. */
export const run: Run = async ({ args, home, out }) => {
  const plan = await connectControl(home).stopApp(args['app'] ?? '');
  out.data(plan, () => `${plan.app} generation ${String(plan.generation)} stops`);
  out.note(`Its instances drain and end. Run it again: mesh run ${plan.app} ${plan.digest}`);
};
