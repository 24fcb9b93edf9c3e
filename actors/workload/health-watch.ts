/** The two health effects of an instance: eager until it is up, steady afterwards. */
import { fromCallback } from 'xstate';
import type { HealthWatch, InstanceFact } from '../../machines/workload/instance-rules.ts';
import type { WorkloadPorts } from './ports/instance.ts';
import type { ProbeResult } from './ports/process.ts';

/** First and longest wait between two probes of a starting instance, doubling in between. */
export const START_PROBE_MIN_MS = 1;
export const START_PROBE_MAX_MS = 50;
/** A health path that takes longer than this does not answer. */
export const PROBE_TIMEOUT_MS = 2_000;

type HealthPorts = Pick<WorkloadPorts, 'health' | 'processes' | 'clock' | 'certificates'>;

interface Sight {
  readonly fact: InstanceFact;
  readonly isLast: boolean;
}

/** Whose certificate a probe wants to see. */
const tlsOf = ({ owner, settings }: HealthWatch): { readonly tlsApp?: string } =>
  settings.tls === 'mesh' ? { tlsApp: owner.app } : {};

/**
 * Without a Coordinator certificates expire, and no probe gets through. That is no fault of a service
 * that runs, and another one could not be started. One that does not take up its renewal is at fault.
 */
async function saysNothing(
  { certificates }: HealthPorts,
  { owner }: HealthWatch,
  { fault }: Extract<ProbeResult, { ok: false }>,
): Promise<boolean> {
  if (fault === undefined) return false;
  if (fault === 'own_identity') return true;
  return (await certificates?.read({ kind: 'instance', ...owner })) === null;
}

/**
 * One look at a starting instance. An answer counts only if this very process group listens on the
 * port: whoever else holds the port could answer 200, too.
 */
async function lookAtStart(
  ports: HealthPorts,
  watch: HealthWatch,
  isPatient: boolean,
  signal: AbortSignal,
): Promise<Sight> {
  const { process, port, settings } = watch;
  if (process === null || port === null)
    return { fact: { type: 'health.failed', message: 'There is no process.' }, isLast: true };
  const timeoutMs = Math.min(PROBE_TIMEOUT_MS, settings.startTimeoutMs);
  const connectWithinMs = isPatient ? timeoutMs : 0;
  const request = {
    port,
    path: settings.healthPath,
    timeoutMs,
    connectWithinMs,
    ...tlsOf(watch),
  };
  const seen = await ports.health.probe(request, signal);
  if (!seen.ok) return { fact: { type: 'health.failed', message: seen.message }, isLast: false };
  const owner = await ports.processes.listenerOf(process, port);
  if (owner === 'own') return { fact: { type: 'health.passed' }, isLast: true };
  if (owner === 'foreign') return { fact: { type: 'port.hijacked' }, isLast: true };
  return { fact: { type: 'health.failed', message: 'The listener is gone again.' }, isLast: false };
}

/**
 * Probes early and often; tells each new finding once, and ends with the first certainty. After the
 * first look, which may well find nobody, the probe itself waits for the listener and meets it sooner.
 */
export const createStartWatch = (ports: HealthPorts) =>
  fromCallback<InstanceFact, HealthWatch>(({ input, sendBack }) => {
    const ending = new AbortController();
    let waitMs = START_PROBE_MIN_MS;
    let lastMessage: string | null = null;
    let timer: unknown;
    const look = async (): Promise<void> => {
      const { fact, isLast } = await lookAtStart(ports, input, lastMessage !== null, ending.signal);
      if (ending.signal.aborted) return;
      const message = fact.type === 'health.failed' ? fact.message : '';
      if (isLast || message !== lastMessage) sendBack(fact);
      lastMessage = message;
      if (isLast) return;
      timer = ports.clock.setTimeout(run, waitMs);
      waitMs = Math.min(START_PROBE_MAX_MS, waitMs * 2);
    };
    const run = (): void => {
      look().catch((error: unknown) => {
        if (!ending.signal.aborted) sendBack({ type: 'health.failed', message: String(error) });
      });
    };
    run();
    return () => {
      ending.abort();
      ports.clock.clearTimeout(timer);
    };
  });

/** Probes every `intervalMs`, never two at a time. */
export const createHealthWatch = (ports: HealthPorts) =>
  fromCallback<InstanceFact, HealthWatch>(({ input, sendBack }) => {
    const { port, settings } = input;
    const ending = new AbortController();
    let timer: unknown;
    const look = async (): Promise<void> => {
      if (port === null) return;
      const timeoutMs = Math.min(PROBE_TIMEOUT_MS, settings.intervalMs);
      const request = { port, path: settings.healthPath, timeoutMs, ...tlsOf(input) };
      const seen = await ports.health.probe(request, ending.signal);
      if (!seen.ok && (await saysNothing(ports, input, seen))) return;
      if (ending.signal.aborted) return;
      sendBack(
        seen.ok ? { type: 'health.passed' } : { type: 'health.failed', message: seen.message },
      );
    };
    const run = (): void => {
      look()
        .catch((error: unknown) => {
          if (!ending.signal.aborted) sendBack({ type: 'health.failed', message: String(error) });
        })
        .finally(() => {
          if (!ending.signal.aborted) timer = ports.clock.setTimeout(run, settings.intervalMs);
        });
    };
    timer = ports.clock.setTimeout(run, settings.intervalMs);
    return () => {
      ending.abort();
      ports.clock.clearTimeout(timer);
    };
  });
