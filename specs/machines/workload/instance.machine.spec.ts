import { instanceMachine } from '../../../machines/workload/instance.machine.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import { instanceModel } from '../../support/model/workload-models.ts';

machineSuite(instanceMachine, {
  ...instanceModel(false),
  unreachable: { adopting: 'Only a found process is adopted.' },
  unused: { 'actors: adoptProcess': 'Only a found process is adopted.' },
});

machineSuite(instanceMachine, {
  ...instanceModel(true),
  unreachable: {
    preparing: 'The process runs.',
    certifying: 'The process runs.',
    starting: 'The process runs.',
    'running.up.warming': 'It has proved itself.',
  },
  unused: {
    'actors: prepareFiles': 'The process runs.',
    'actors: certifyInstance': 'The process runs.',
    'actors: startProcess': 'The process runs.',
  },
});
