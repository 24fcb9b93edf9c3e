/** A mesh of records for the pages beside the tree: something of everything, good and bad. */
import type { Endpoint } from '../../../machines/workload/plan.ts';
import type {
  CoordinatorView,
  PolicyEntry,
} from '../../../runtime/coordinator/coordinator-view.ts';
import type { AppStatus, CertificateView } from '../../../runtime/control/mesh-control.ts';
import type { MessageLine } from '../../../runtime/web/ui/views.types.ts';
import type { MeshSource } from '../../../runtime/web/views/mesh-source.types.ts';
import { createFakeMesh } from '../control/fake-mesh.ts';
import type { FakeMesh } from '../control/fake-mesh.ts';
import { DIGEST_1, DIGEST_2, deploymentOf, planOf } from '../control/records.ts';

const HOUR_MS = 3_600_000;
const at = (ms: number): string => new Date(Date.now() + ms).toISOString();

const certificate = (
  instance: string,
  leftMs: number,
  state: CertificateView['state'] = 'valid',
): CertificateView => ({
  app: 'hello',
  node: 'node-1',
  instance,
  state,
  spiffeId: `spiffe://mesh.local/hello/${instance}`,
  serialNumber: '4a',
  notAfter: at(leftMs),
  renewAt: at(leftMs - 12 * HOUR_MS),
  renewals: 2,
  failure: state === 'refused' ? 'MESH_ERR_CERTIFICATE_REFUSED: its digest is not known.' : null,
});

const authority = (subject: string) => ({
  subject,
  fingerprint: 'ab'.repeat(32),
  notBefore: at(-HOUR_MS),
  notAfter: at(30 * 24 * HOUR_MS),
});

const policy = (
  role: PolicyEntry['role'],
  name: string,
  identity: string,
  nodeKeys: number | null,
): PolicyEntry => ({
  identity,
  name,
  role,
  spiffeId: `spiffe://mesh.local/${role}/${name}`,
  san: [name, 'localhost'],
  nodeKeys,
});

/** A Coordinator that recovers, with two manifests and a peer. */
export const recoveringCoordinator = (): CoordinatorView => ({
  name: 'coordinator-1',
  address: { host: '127.0.0.1', port: 8443 },
  state: 'recovering',
  reason: 'It asks its peers for the state of generation 2.',
  generation: 2,
  transition: 'cd'.repeat(32),
  manifests: [
    { generation: 2, transition: 'cd'.repeat(32), manifest: 'ef'.repeat(32), seenAt: at(-HOUR_MS) },
    { generation: 1, transition: '12'.repeat(32), manifest: '34'.repeat(32), seenAt: null },
  ],
  policies: [
    policy('coordinator', 'coordinator', '5d'.repeat(32), 2),
    policy('edge', 'edge', '0c'.repeat(32), 1),
    policy('workload', 'hello', DIGEST_1, 1),
    policy('workload', 'shop', '77'.repeat(32), null),
  ],
  policyCount: 4,
  owners: { workload: 1, seedShare: 2 },
  authority: { root: authority('CN=root'), mesh: authority('CN=mesh') },
  certificate: null,
  peers: [
    { name: 'coordinator-2', host: '10.0.0.2', port: 8443, state: 'ready', isLive: true },
    { name: 'coordinator-3', host: '10.0.0.3', port: 8443, state: null, isLive: false },
  ],
  connections: { pending: 0, open: 3, refused: 1 },
  lastRecoveryFailure: null,
  startedAt: at(-2 * HOUR_MS),
});

/** One that is verified, and one that is not. */
export const sampleMessages = (): MessageLine[] => [
  {
    id: 'm2',
    atMs: Date.now() - 2_000,
    author: '7f3a'.repeat(16),
    authorName: null,
    kind: 'public',
    text: 'I am the operator, trust me.',
    isVerified: false,
  },
  {
    id: 'm1',
    atMs: Date.now() - 60_000,
    author: 'b2c4'.repeat(16),
    authorName: 'node-1',
    kind: 'public',
    text: 'hello 2.0.0 serves.',
    isVerified: true,
  },
];

export interface SampleMesh extends MeshSource {
  readonly fake: FakeMesh;
  /** May grow while somebody looks. */
  readonly said: MessageLine[];
}

/** `hello` runs; its newest deployment was reverted, for a reason with the last words of a process. */
export function sampleMesh(): SampleMesh {
  const fake = createFakeMesh();
  const said = sampleMessages();
  return {
    fake,
    said,
    info: () => fake.info(),
    rollback: (app, generation) => fake.rollback(app, generation),
    apps: async () => (await fake.apps()).map(withReverted),
    coordinator: async () => recoveringCoordinator(),
    certificates: async () => [
      certificate('hello-1', 23.5 * HOUR_MS),
      certificate('hello-2', 1.5 * HOUR_MS),
      certificate('hello-3', -1.5 * HOUR_MS, 'expired'),
      certificate('hello-4', 20.5 * HOUR_MS, 'refused'),
    ],
    messages: async () => said.slice(),
    peers: async () => [
      {
        peer: 'ab'.repeat(32),
        state: 'connected',
        address: '10.0.0.7:9000',
        lastSeenMs: Date.now(),
      },
    ],
    relay: async () => ({ address: 'wss://relay.mesh.local', state: 'reachable' }),
  };
}

/** Ready, with an edge that has its certificate; `hello` serves TLS, `docs` in the clear, `idle` not. */
export function guardedMesh(): SampleMesh {
  const mesh = sampleMesh();
  const certificates = async (): Promise<readonly CertificateView[]> => [
    {
      ...certificate('edge', 23 * HOUR_MS),
      app: null,
      node: null,
      instance: null,
      spiffeId: 'spiffe://mesh.local/edge/edge',
    },
    { ...certificate('hello-1', 23 * HOUR_MS), spiffeId: 'spiffe://mesh.local/workload/hello' },
    { ...certificate('hello-2', HOUR_MS, 'expired'), spiffeId: null },
  ];
  const apps = async (): Promise<AppStatus[]> => {
    const [hello] = await mesh.apps();
    if (hello === undefined) return [];
    const docs = planOf(deploymentOf({ app: 'docs', digest: DIGEST_2 }, 1, 'succeeded'));
    return [
      { ...hello, endpoints: [endpointOf('hello', 'https')] },
      { ...hello, app: 'docs', plan: docs, endpoints: [endpointOf('docs', 'http')] },
      { ...hello, app: 'idle', endpoints: [] },
    ];
  };
  const spiffeId = 'spiffe://mesh.local/coordinator/coordinator';
  const held = { state: 'ready', reason: null, certificate: { spiffeId, notAfter: at(HOUR_MS) } };
  const coordinator = async () => ({ ...recoveringCoordinator(), ...held }) as CoordinatorView;
  return { ...mesh, certificates, apps, coordinator };
}

const endpointOf = (app: string, scheme: string): Endpoint => ({
  app,
  url: `${scheme}://127.0.0.1:30001`,
  node: 'node-1',
  instance: `${app}-1`,
  generation: 1,
  expiresAtMs: Date.now() + HOUR_MS,
});

function withReverted(status: AppStatus): AppStatus {
  const [newest] = status.deployments;
  if (newest === undefined) return status;
  const reverted = {
    ...newest,
    generation: newest.generation + 1,
    version: '3.0.0',
    outcome: 'reverted' as const,
    reason: {
      code: 'MESH_ERR_INSTANCE_EXITED',
      message: 'hello-7 ended before it was healthy.',
      logTail: ['Error: no database'],
    },
  };
  return { ...status, deployments: [reverted, ...status.deployments] };
}
