/** Binds the certificate machine to the Coordinator, to files, and to the clock of the wall. */
import { fromCallback, fromPromise } from 'xstate';
import type { Clock } from '../../machines/kernel/clock.ts';
import { certificateMachine } from '../../machines/workload/certificate.machine.ts';
import { renewAtMs } from '../../machines/workload/certificate-rules.ts';
import type {
  CertificateFact,
  CertificateFailure,
  CertificateInput,
  CertificateSubject,
  HeldCertificate,
} from '../../machines/workload/certificate-rules.ts';
import type { ChildSpec } from '../../supervisor/index.ts';
import { childSpec } from '../../supervisor/index.ts';
import type { Certificates } from './ports/certificates.ts';
import type { Notice } from './ports/instance.ts';

type Provided = NonNullable<Parameters<typeof certificateMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;

/** What becomes of a certificate, for who waits for it. */
export type CertificateNews =
  | { readonly type: 'held'; readonly certificate: HeldCertificate }
  | { readonly type: 'failed'; readonly failure: CertificateFailure };

export interface CertificateActorPorts {
  readonly certificates: Certificates;
  readonly clock: Clock;
  readonly notice: Notice;
  /** Called in the actor's turn: it must only take note. */
  readonly onNews?: (subject: CertificateSubject, news: CertificateNews) => void;
}

/** A clock that was set, or a machine that slept, is noticed within this. */
export const LOOK_MS_MAX = 60_000;

/** Whose it is, for a line of a log. */
export const subjectText = (subject: CertificateSubject): string =>
  subject.kind === 'edge' ? 'the edge' : `instance ${subject.instance}`;

/** Failures of which a line is written: each of them while they are few, then ever fewer. */
const isTold = (failures: number): boolean => Number.isInteger(Math.log2(failures));

const createLifeWatch = (clock: Clock) =>
  fromCallback<CertificateFact, { certificate: HeldCertificate | null }>(
    ({ input: { certificate }, sendBack }) => {
      if (certificate === null) return undefined;
      const dueAtMs = renewAtMs(certificate);
      let isDueTold = false;
      let timer: unknown;
      const look = (): void => {
        const nowMs = clock.now();
        if (nowMs >= certificate.notAfterMs) return sendBack({ type: 'certificate.expired' });
        if (nowMs >= dueAtMs && !isDueTold) {
          isDueTold = true;
          sendBack({ type: 'renewal.due' });
        }
        const nextMs = (isDueTold ? certificate.notAfterMs : dueAtMs) - nowMs;
        timer = clock.setTimeout(look, Math.min(LOOK_MS_MAX, nextMs));
      };
      // Not in the turn in which the state is entered: a fact would come before its state.
      timer = clock.setTimeout(look, 0);
      return () => clock.clearTimeout(timer);
    },
  );

export function createCertificateLogic(ports: CertificateActorPorts) {
  const { certificates, clock, notice, onNews } = ports;
  const actors: Bindings = {
    readCertificate: fromPromise(({ input }) => certificates.read(input.subject)),
    obtainCertificate: fromPromise(({ input, signal }) =>
      certificates.obtain(input.subject, signal),
    ),
    watchLife: createLifeWatch(clock),
  };
  return certificateMachine.provide({
    actors,
    actions: {
      tellHeld: (_, { subject, certificate }) => {
        if (certificate !== null) onNews?.(subject, { type: 'held', certificate });
      },
      tellFailed: (_, { subject, failure, failures }) => {
        if (failure === null) return;
        onNews?.(subject, { type: 'failed', failure });
        const { code, message } = failure;
        if (isTold(failures))
          notice(`getting a certificate for ${subjectText(subject)}`, `${code}: ${message}`);
      },
      tellExpired: (_, { subject }) => {
        const found = 'It could not be renewed before its end.';
        notice(`the certificate of ${subjectText(subject)} has expired`, found);
      },
    },
  });
}

/** `permanent`: a restarted one reads what there is, and goes on from there. */
export const certificateChildSpec = (
  id: string,
  logic: ReturnType<typeof createCertificateLogic>,
  input: CertificateInput,
): ChildSpec =>
  childSpec({
    id,
    logic,
    input,
    shutdown: 1_000,
    backoff: { minMs: 100, maxMs: 10_000, factor: 2, jitter: 0.2, resetAfterMs: 30_000 },
  });
