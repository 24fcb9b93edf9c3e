/**
 * The words and rules of a mesh certificate: whose it is, what is known of it, how long each step may
 * take, and how a failed try reads. `certificate.machine.ts` applies them.
 */

/** Whose certificate it is. */
export type CertificateSubject =
  | {
      readonly kind: 'instance';
      readonly app: string;
      readonly node: string;
      readonly instance: string;
      /** Of the spore. */
      readonly digest: string;
    }
  | { readonly kind: 'edge' };

/** A certificate that is there: its public facts. */
export interface HeldCertificate {
  readonly spiffeId: string;
  /** Lower-case hex. */
  readonly serialNumber: string;
  /** When this mesh got it; half of its life counts from here. */
  readonly issuedAtMs: number;
  readonly notAfterMs: number;
}

/** Why a try came to nothing. */
export interface CertificateFailure {
  readonly code: string;
  readonly message: string;
  /** The same try again would fail, too, unless somebody changes something. */
  readonly isFinal: boolean;
}

export interface CertificateInput {
  readonly subject: CertificateSubject;
  /** In [0, 1): spreads the tries of those that failed together. */
  readonly jitter: number;
}

export interface CertificateContext extends CertificateInput {
  /** The last one that there was; with a state of `missing`, one that has expired. */
  readonly certificate: HeldCertificate | null;
  /** Failures since the last success. */
  readonly failures: number;
  readonly failure: CertificateFailure | null;
  readonly renewals: number;
}

/** `renew`: now, whatever its age. */
export type CertificateCommand = { type: 'renew' } | { type: 'stop' };
export type CertificateFact = { type: 'renewal.due' } | { type: 'certificate.expired' };
export type CertificateEvent = CertificateCommand | CertificateFact;

/** Reading two small files. */
export const READ_TIMEOUT_MS = 5_000;
/** Three addresses that do not answer within five seconds each, and one that does. */
export const OBTAIN_TIMEOUT_MS = 20_000;
/** First and longest wait after a failed try, doubling in between. */
export const RETRY_MS_MIN = 250;
export const RETRY_MS_MAX = 60_000;
/** The wait is this fraction longer or shorter: a Coordinator that comes back is not stormed. */
export const RETRY_JITTER = 0.2;
/** Until somebody has changed the manifest, and not for longer. */
export const REFUSED_MS = 30_000;
/** A certificate is renewed once a second at most, however short its life. */
export const RENEWAL_MS_MIN = 1_000;

/** Doubling, with jitter. */
export function retryMs(failures: number, jitter: number): number {
  const doubled = RETRY_MS_MIN * 2 ** Math.min(failures - 1, 30);
  return Math.round(Math.min(RETRY_MS_MAX, doubled) * (1 + RETRY_JITTER * (2 * jitter - 1)));
}

/** When a certificate has lived half of its life. */
export const renewAtMs = ({ issuedAtMs, notAfterMs }: HeldCertificate): number =>
  issuedAtMs + Math.max(RENEWAL_MS_MIN, Math.floor((notAfterMs - issuedAtMs) / 2));

/** What a rejected try says of itself; never a stack. */
export function failureOf(error: unknown): CertificateFailure {
  const { code, message, retryable } = (error ?? {}) as Readonly<Record<string, unknown>>;
  return {
    code: typeof code === 'string' ? code : 'MESH_ERR_CERTIFICATE_FAILED',
    message: typeof message === 'string' ? message : String(error),
    isFinal: retryable === false,
  };
}

/** A try that never ended. */
export const TIMED_OUT: CertificateFailure = {
  code: 'MESH_ERR_CERTIFICATE_TIMEOUT',
  message: 'The Coordinator did not give a certificate in time.',
  isFinal: false,
};
