import { agentMachine } from '../../../machines/workload/agent.machine.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import { agentModel } from '../../support/model/workload-models.ts';

machineSuite(agentMachine, agentModel);
