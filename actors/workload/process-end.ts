/** Ends of processes that no instance's actor sees to, or not any more. */
import type { ProcessIdentity } from '../../machines/workload/instance-record.ts';
import { TERMINATE_TIMEOUT_MS } from '../../machines/workload/instance-rules.ts';
import type { WorkloadPorts } from './ports/instance.ts';

/** A killed process is gone in milliseconds, or stands in the kernel (state D). */
export const KILL_WAIT_MS = 2_000;

type EndPorts = Pick<WorkloadPorts, 'processes' | 'clock' | 'notice'>;

/** SIGTERM, time to comply, SIGKILL, and then what is left of its group. */
export async function endProcess(ports: EndPorts, identity: ProcessIdentity): Promise<void> {
  const isEnding = await ports.processes.signal(identity, 'SIGTERM');
  if (isEnding && (await hasEnded(ports, identity, TERMINATE_TIMEOUT_MS)))
    await ports.processes.reap(identity);
  else await killProcess(ports, identity);
}

/** SIGKILL where it lives, and then what is left of its group: `reap` alone spares the living. */
export async function killProcess(ports: EndPorts, identity: ProcessIdentity): Promise<void> {
  const isEnding = await ports.processes.signal(identity, 'SIGKILL');
  if (isEnding && !(await hasEnded(ports, identity, KILL_WAIT_MS)))
    ports.notice(`killing process ${identity.pid}`, 'It does not end.');
  await ports.processes.reap(identity);
}

/** Whether it ends within `timeoutMs`. */
function hasEnded(
  { processes, clock }: EndPorts,
  identity: ProcessIdentity,
  timeoutMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(() => {
      unwatch();
      resolve(false);
    }, timeoutMs);
    const unwatch = processes.watchExit(identity, () => {
      clock.clearTimeout(timer);
      resolve(true);
    });
  });
}
