/** What a running mesh says of its certificates: public facts, read from their actors. */
import { EDGE_CERTIFICATE, certificatePath } from '../../actors/workload/paths.ts';
import { renewAtMs } from '../../machines/workload/certificate-rules.ts';
import type { CertificateContext } from '../../machines/workload/certificate-rules.ts';
import type { InstanceRecord } from '../../machines/workload/instance-record.ts';
import type { MeshParts } from '../compose.ts';
import type { CertificateState, CertificateView } from '../control/mesh-control.ts';

type Owner = Pick<CertificateView, 'app' | 'node' | 'instance'>;

interface Seen {
  readonly value: string | { readonly missing?: string; readonly held?: string };
  readonly context: CertificateContext;
}

const EDGE_OWNER: Owner = { app: null, node: null, instance: null };

/** How the machine's state reads; `failures` tells a try that is repeated from a first one. */
export function certificateState({ value, context }: Seen): CertificateState {
  if (typeof value === 'string') return 'obtaining';
  if (value.held !== undefined) return value.held === 'fresh' ? 'valid' : 'renewing';
  if (context.certificate !== null) return 'expired';
  return context.failure?.isFinal === true ? 'refused' : 'obtaining';
}

const timeOf = (atMs: number): string => new Date(atMs).toISOString();

function viewOf(
  { tree }: Pick<MeshParts, 'tree'>,
  path: string,
  owner: Owner,
): CertificateView | null {
  const seen = tree.snapshotOf(path) as unknown as Seen | undefined;
  if (seen?.context === undefined) return null;
  const { certificate, failure, renewals } = seen.context;
  return {
    ...owner,
    state: certificateState(seen),
    spiffeId: certificate?.spiffeId ?? null,
    serialNumber: certificate?.serialNumber ?? null,
    notAfter: certificate && timeOf(certificate.notAfterMs),
    renewAt: certificate && timeOf(renewAtMs(certificate)),
    renewals,
    failure: failure && `${failure.code}: ${failure.message}`,
  };
}

/** That of one instance; null where it has none and is not to have one. */
export const certificateOf = (
  mesh: Pick<MeshParts, 'tree'>,
  { app, node, instance }: Pick<InstanceRecord, 'app' | 'node' | 'instance'>,
): CertificateView | null => viewOf(mesh, certificatePath(node, instance), { app, node, instance });

/** The edge's first, then those of instances by app; none in a mesh without a Coordinator. */
export async function certificateRows(
  mesh: Pick<MeshParts, 'tree' | 'fabric'>,
): Promise<readonly CertificateView[]> {
  const edge = viewOf(mesh, EDGE_CERTIFICATE, EDGE_OWNER);
  if (edge === null) return [];
  const records = await mesh.fabric.instances();
  const views = records.flatMap((record) => certificateOf(mesh, record) ?? []);
  return [edge, ...views.toSorted((a, b) => rank(a).localeCompare(rank(b)))];
}

const rank = ({ app, node, instance }: Owner): string => `${app} ${node} ${instance}`;
