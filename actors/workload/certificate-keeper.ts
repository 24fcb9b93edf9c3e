/** One certificate actor for each instance that wants one: started before it, ended after it. */
import { certificateError } from '../../machines/workload/certificate-errors.ts';
import type {
  CertificateFailure,
  CertificateSubject,
  HeldCertificate,
} from '../../machines/workload/certificate-rules.ts';
import type { InstanceRecord } from '../../machines/workload/instance-record.ts';
import type { LaunchSettings } from '../../machines/workload/instance-rules.ts';
import { certificateChildSpec, createCertificateLogic } from './certificate.actor.ts';
import type { CertificateNews } from './certificate.actor.ts';
import { certificatesPath } from './paths.ts';
import type { Certificates } from './ports/certificates.ts';
import type { WorkloadPorts } from './ports/instance.ts';

/** How long a launch waits for a certificate that it must have: a few tries of the actor. */
export const REQUIRED_WAIT_MS = 15_000;
/** How long it waits for one that it may do without, unless the first try fails before. */
export const OPTIONAL_WAIT_MS = 3_000;

type KeeperPorts = Pick<WorkloadPorts, 'tree' | 'clock' | 'random' | 'notice' | 'certificates'>;
type Environment = Readonly<Record<string, string>>;

/** An instance's certificate, as its own actor sees it. */
export interface InstanceCertificates {
  /**
   * Resolves with what the process is told of its files, once they are there; with nothing where the
   * manifest asks for none, or does without. MESH_ERR_CERTIFICATE_NO_COORDINATOR, _TIMEOUT, _NAME,
   * and what the last try failed of.
   */
  certify(
    record: InstanceRecord,
    settings: LaunchSettings,
    signal: AbortSignal,
  ): Promise<Environment>;
  /** An adopted instance goes on being renewed, if it was given a certificate. */
  keep(record: InstanceRecord): Promise<void>;
  /** No renewal from now on; the files go with the instance's folder. Idempotent. */
  release(record: InstanceRecord): Promise<void>;
}

const subjectOf = ({ app, node, instance, digest }: InstanceRecord): CertificateSubject => ({
  kind: 'instance',
  app,
  node,
  instance,
  digest,
});

/** The edge believes an instance by this part of its SPIFFE ID. */
export const certifiedAppOf = (spiffeId: string): string =>
  /^spiffe:\/\/[^/]+\/workload\/([^/]+)$/.exec(spiffeId)?.[1] ?? '';

function checkName({ app, instance }: InstanceRecord, { spiffeId }: HeldCertificate): void {
  if (certifiedAppOf(spiffeId) === app) return;
  throw certificateError(
    'MESH_ERR_CERTIFICATE_NAME',
    `Certifying ${instance}: it is ${spiffeId}, and the edge looks for ${app}.`,
  );
}

/** As an error again, for the reason of a deployment. */
const errorOf = (instance: string, { code, message }: CertificateFailure): Error =>
  Object.assign(new Error(`Instance ${instance} was not started: ${message}`), { code });

/** Those who wait for the first certificate of an instance. */
class Waiting {
  readonly #ends = new Map<string, (news: CertificateNews) => void>();

  tell(subject: CertificateSubject, news: CertificateNews): void {
    if (subject.kind === 'instance') this.#ends.get(subject.instance)?.(news);
  }

  /**
   * Resolves when it is held; rejects when that is refused, or with the last failure in the end. What
   * may do without does not wait for a second try: an outage must not slow down every start.
   */
  async first(
    instance: string,
    { clock }: Pick<WorkloadPorts, 'clock'>,
    isRequired: boolean,
    signal: AbortSignal,
  ): Promise<HeldCertificate> {
    const timeoutMs = isRequired ? REQUIRED_WAIT_MS : OPTIONAL_WAIT_MS;
    const { promise, resolve, reject } = Promise.withResolvers<HeldCertificate>();
    let last: Error = certificateError(
      'MESH_ERR_CERTIFICATE_TIMEOUT',
      `Instance ${instance} was not started: no Coordinator gave a certificate in ${timeoutMs} ms.`,
    );
    this.#ends.set(instance, (news) => {
      if (news.type === 'held') return resolve(news.certificate);
      last = errorOf(instance, news.failure);
      return news.failure.isFinal || !isRequired ? reject(last) : undefined;
    });
    const timer = clock.setTimeout(() => reject(last), timeoutMs);
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await promise;
    } finally {
      this.#ends.delete(instance);
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }
}

export function createInstanceCertificates(ports: KeeperPorts): InstanceCertificates {
  const { certificates } = ports;
  return certificates === undefined ? withoutCoordinator : createKeeper(ports, certificates);
}

const withoutCoordinator: InstanceCertificates = {
  certify: ({ instance }, { identity }) =>
    identity === 'required'
      ? Promise.reject(
          certificateError(
            'MESH_ERR_CERTIFICATE_NO_COORDINATOR',
            `Instance ${instance} was not started: it requires a certificate, and this mesh has ` +
              'no Coordinator.',
          ),
        )
      : Promise.resolve({}),
  keep: () => Promise.resolve(),
  release: () => Promise.resolve(),
};

function createKeeper(ports: KeeperPorts, certificates: Certificates): InstanceCertificates {
  const { tree, clock, random, notice } = ports;
  const waiting = new Waiting();
  const onNews = (subject: CertificateSubject, news: CertificateNews): void =>
    waiting.tell(subject, news);
  const logic = createCertificateLogic({ certificates, clock, notice, onNews });

  const start = async (record: InstanceRecord): Promise<void> => {
    const input = { subject: subjectOf(record), jitter: random.fraction() };
    const spec = certificateChildSpec(record.instance, logic, input);
    const started = await tree.startChild(certificatesPath(record.node), spec);
    if (started.ok || started.reason === 'already_started') return;
    throw certificateError(
      'MESH_ERR_CERTIFICATE_FAILED',
      `Starting the certificate's actor of ${record.instance}: ${started.reason}.`,
    );
  };
  const release: InstanceCertificates['release'] = async (record) => {
    const { node, instance } = record;
    await tree.terminateChild(certificatesPath(node), instance);
    await tree.deleteChild(certificatesPath(node), instance);
    // A key that is written into a folder that is being removed would stay behind.
    await certificates.settled(subjectOf(record));
  };
  const certify = async (
    record: InstanceRecord,
    settings: LaunchSettings,
    signal: AbortSignal,
  ): Promise<Environment> => {
    const isRequired = settings.identity === 'required';
    const held = waiting.first(record.instance, ports, isRequired, signal);
    const [certificate] = await Promise.all([held, start(record)]);
    if (settings.tls === 'mesh') checkName(record, certificate);
    return certificates.environment(subjectOf(record));
  };
  return {
    release,
    certify: async (record, settings, signal) => {
      if ((settings.identity ?? 'none') === 'none') return {};
      try {
        return await certify(record, settings, signal);
      } catch (error) {
        await release(record);
        if (settings.identity === 'required' || signal.aborted) throw error;
        // It may do without one; the actor has said why it must.
        return {};
      }
    },
    keep: async (record) => {
      const { MESH_CERT_FILE } = await certificates.environment(subjectOf(record));
      if (MESH_CERT_FILE !== undefined) await start(record);
    },
  };
}
