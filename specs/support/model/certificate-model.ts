/** How a certificate may begin, and what may happen to it. */
import type { certificateMachine } from '../../../machines/workload/certificate.machine.ts';
import type {
  CertificateContext,
  CertificateSubject,
  HeldCertificate,
} from '../../../machines/workload/certificate-rules.ts';
import type { ModelOptions } from './model-paths.ts';

export const SUBJECT: CertificateSubject = {
  kind: 'instance',
  app: 'hello',
  node: 'node-1',
  instance: 'hello-1',
  digest: 'ab'.repeat(32),
};

/** A certificate of an hour, issued at the beginning of time. */
export const HELD: HeldCertificate = {
  spiffeId: 'spiffe://mesh.local/workload/hello',
  serialNumber: '4a',
  issuedAtMs: 0,
  notAfterMs: 3_600_000,
};

/** A refusal that a retry does not change, and a failure that it may. */
export const REFUSED = Object.assign(new Error('It has no policy.'), {
  code: 'MESH_ERR_CERTIFICATE_REFUSED',
  retryable: false,
});
export const UNAVAILABLE = Object.assign(new Error('Nobody listens.'), {
  code: 'MESH_ERR_CERTIFICATE_UNAVAILABLE',
  retryable: true,
});

export const certificateModel: ModelOptions<typeof certificateMachine> = {
  input: { subject: SUBJECT, jitter: 0.5 },
  samples: [
    { type: 'renewal.due' },
    { type: 'certificate.expired' },
    { type: 'renew' },
    { type: 'stop' },
  ],
  outputs: { readCertificate: [null, HELD], obtainCertificate: [HELD] },
  errors: { obtainCertificate: [UNAVAILABLE, REFUSED] },
  serialize: ({ certificate, failures, failure, renewals }: CertificateContext) => ({
    isThere: certificate !== null,
    failures: Math.min(failures, 2),
    failure: failure?.code,
    renewals: Math.min(renewals, 1),
  }),
};
