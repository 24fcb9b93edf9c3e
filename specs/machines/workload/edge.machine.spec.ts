import { edgeMachine } from '../../../machines/workload/edge.machine.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import { edgeModel } from '../../support/model/workload-models.ts';

machineSuite(edgeMachine, edgeModel);
