import { DEFAULT_SETTINGS } from '../../../machines/workload/instance-rules.ts';
import type { InstanceContext, InstanceEvent } from '../../../machines/workload/instance-rules.ts';
import { instanceMachine } from '../../../machines/workload/instance.machine.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import { instanceRecord } from '../../support/workload-samples.ts';

const process = { pid: 7, startTicks: 7, bootId: 'b', token: '00'.repeat(16) };
const files = { settings: DEFAULT_SETTINGS, command: '/x', args: [], env: {}, folder: '/' };

const samples: InstanceEvent[] = [
  { type: 'process.exited', exit: { exitCode: 1, signal: null } },
  { type: 'process.exited', exit: { exitCode: null, signal: 'SIGKILL' } },
  { type: 'health.passed' },
  { type: 'health.failed', message: 'It refused the connection.' },
  { type: 'port.hijacked' },
  { type: 'drain' },
  { type: 'abort' },
  { type: 'stop' },
];

for (const adopt of [false, true])
  machineSuite(instanceMachine, {
    input: { record: instanceRecord({ process: adopt ? process : null, port: 9 }), adopt },
    samples,
    outputs: {
      prepareFiles: [files],
      startProcess: [{ process, port: 9 }],
      adoptProcess: [{ process, port: 9, settings: DEFAULT_SETTINGS }],
      reapProcess: [null],
    },
    serialize: ({ failedProbes, failure, exit, isAsked, process }: InstanceContext) => ({
      failedProbes: Math.min(failedProbes, 3),
      failure: failure?.code,
      exit: exit?.signal ?? exit?.exitCode,
      isAsked,
      isStarted: process !== null,
    }),
    unreachable: adopt
      ? {
          preparing: 'The process runs.',
          starting: 'The process runs.',
          'running.up.warming': 'It has proved itself.',
        }
      : { adopting: 'Only a found process is adopted.' },
    unused: adopt
      ? { 'actors: prepareFiles': 'The process runs.', 'actors: startProcess': 'The process runs.' }
      : { 'actors: adoptProcess': 'Only a found process is adopted.' },
  });
