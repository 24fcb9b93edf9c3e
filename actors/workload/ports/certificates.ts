import type {
  CertificateSubject,
  HeldCertificate,
} from '../../../machines/workload/certificate-rules.ts';

/**
 * Mesh certificates as files of whoever they are for: private to this user, replaced as a whole, and
 * renewed for the same key. They lie in the instance's own folder and go with it.
 */
export interface Certificates {
  /**
   * What is there already, if it is sound and has not expired, else null. Rejects only where the
   * folder cannot be read.
   */
  read(subject: CertificateSubject): Promise<HeldCertificate | null>;
  /**
   * Asks the Coordinator for one, and resolves when its files are in place. Rejects with
   * MESH_ERR_CERTIFICATE_REFUSED, _UNAVAILABLE, _UNTRUSTED, _UNSOUND or _IO; what was there stays.
   */
  obtain(subject: CertificateSubject, signal: AbortSignal): Promise<HeldCertificate>;
  /** Resolves when nothing is written for it any more; a try that was aborted may have a file open. */
  settled(subject: CertificateSubject): Promise<void>;
  /** Where a process finds its files: names and paths for its environment. */
  environment(subject: CertificateSubject): Promise<Readonly<Record<string, string>>>;
}
