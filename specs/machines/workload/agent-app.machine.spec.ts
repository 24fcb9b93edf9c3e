import { agentAppMachine } from '../../../machines/workload/agent-app.machine.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import { agentAppModel } from '../../support/model/workload-models.ts';

machineSuite(agentAppMachine, agentAppModel);
