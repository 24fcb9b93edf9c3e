/** Records that specs of the workload machines share; ids and digests are arbitrary. */
import type { Digest } from '../../machines/kernel/ids.ts';
import type { InstanceRecord } from '../../machines/workload/instance-record.ts';
import type { Assignment, Slot } from '../../machines/workload/plan.ts';

export const DIGEST_A = 'a'.repeat(64) as Digest;
export const DIGEST_B = 'b'.repeat(64) as Digest;

export const SLOT: Slot = { app: 'hello', node: 'node-1', ordinal: 0 };

export const assignment = (over: Partial<Assignment> = {}): Assignment => ({
  ...SLOT,
  digest: DIGEST_A,
  restart: 0,
  generation: 1,
  version: '1.0.0',
  strategy: 'blue_green',
  permission: 'serve',
  ...over,
});

export const instanceRecord = (over: Partial<InstanceRecord> = {}): InstanceRecord => ({
  ...SLOT,
  digest: DIGEST_A,
  restart: 0,
  generation: 1,
  version: '1.0.0',
  instance: 'hello-1',
  role: 'candidate',
  token: '00'.repeat(16),
  process: null,
  port: null,
  createdAtMs: 0,
  ...over,
});
