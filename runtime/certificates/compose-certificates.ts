/** What a mesh with a Coordinator has beside the others. Loaded only by such a mesh. */
import {
  certificateChildSpec,
  createCertificateLogic,
} from '../../actors/workload/certificate.actor.ts';
import { EDGE_CERTIFICATE_ID } from '../../actors/workload/paths.ts';
import type { Certificates } from '../../actors/workload/ports/certificates.ts';
import type { Notice } from '../../actors/workload/ports/instance.ts';
import type { Random } from '../../machines/kernel/random.ts';
import type { ChildSpec } from '../../supervisor/index.ts';
import type { CoordinatorParts } from '../coordinator/compose-coordinator.ts';
import { createCertificates } from './coordinator-certificates.ts';
import type { CertificatesOptions } from './coordinator-certificates.ts';
import { sourceOf, sourceOfOwn } from './coordinator-link.ts';
import type { CoordinatorLink } from './coordinator-link.ts';
import { MeshTls } from './mesh-tls.ts';

/** Certificates of instances and of the edge, and the connections that are made with the latter. */
export interface MeshIdentities {
  readonly certificates: Certificates;
  readonly tls: MeshTls;
  /** The actor of the edge's own certificate. */
  readonly edge: ChildSpec;
}

/** What they are made of: one of the two says who is asked. */
export interface MeshIdentitiesOptions extends Omit<CertificatesOptions, 'onEdge' | 'source'> {
  readonly link: CoordinatorLink | undefined;
  readonly own: CoordinatorParts | undefined;
  readonly random: Random;
  readonly notice: Notice;
}

/** Nothing where nobody is to be asked. What `sourceOf` throws. */
export async function composeCertificates(
  options: MeshIdentitiesOptions,
): Promise<MeshIdentities | undefined> {
  const { link, own, clock, random, notice, paths } = options;
  const source = link
    ? await sourceOf(link, paths.home)
    : own && (await sourceOfOwn(own, paths.home));
  if (source === undefined) return undefined;
  const tls = new MeshTls(clock);
  const certificates = createCertificates({
    ...options,
    source,
    onEdge: (pem, spiffeId) => tls.hold(pem, spiffeId),
  });
  const logic = createCertificateLogic({ certificates, clock, notice });
  const input = { subject: { kind: 'edge' }, jitter: random.fraction() } as const;
  return { certificates, tls, edge: certificateChildSpec(EDGE_CERTIFICATE_ID, logic, input) };
}
