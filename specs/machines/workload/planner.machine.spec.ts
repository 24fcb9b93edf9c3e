import { plannerMachine } from '../../../machines/workload/planner.machine.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import { plannerModel } from '../../support/model/workload-models.ts';

machineSuite(plannerMachine, plannerModel);
