/** What a script imports from `mycelium-mesh`. */
export { startMesh } from './mesh.ts';
export type { Mesh } from './mesh.ts';
export type { MeshOptions } from './compose.ts';
export type { CoordinatorLink } from './certificates/coordinator-link.ts';
export type {
  AppState,
  AppStatus,
  CertificateState,
  CertificateView,
  DeploymentProgress,
  InstanceRow,
  MeshControl,
  MeshInfo,
  RunRequest,
  ScaleRequest,
} from './control/mesh-control.ts';
export { startTree } from './start-tree.ts';
export type { Inspected, StartTreeOptions, TreeInspector } from './start-tree.ts';
export { startInspector } from './web/inspector.ts';
export type { Inspector, InspectorOptions } from './web/inspector.ts';
export { createThreads } from './adapters/threads.node.ts';
export type { ThreadsOptions } from './adapters/threads.node.ts';
export { childSpec, dynamicPath, reply, threadLogic } from '../supervisor/index.ts';
export { openJournal } from './adapters/journal.sqlite.ts';
export type {
  Asked,
  ChildSpec,
  Journal,
  SupervisorReport,
  SupervisorSpec,
  ThreadLogicOptions,
  Tree,
  TreeInspection,
  TreeOf,
} from '../supervisor/index.ts';
export {
  attestedConnect,
  connectMeshApi,
  connectUserApi,
  createProcessIssuer,
  createTlsIdentity,
  createValidator,
  startCoordinator,
} from './coordinator/package-exports.ts';
export { COORDINATOR_IDENTITY, EDGE_IDENTITY } from '../machines/coordinator/identities.ts';
export type { Coordinator } from './coordinator/start-coordinator.ts';
export type { CoordinatorOptions } from './coordinator/compose-coordinator.ts';
export type { CoordinatorView } from './coordinator/coordinator-view.ts';
export type { MeshApiClient, UserApiClient } from './rpc/client.ts';
export { startPeer, startRelay } from './gossip/package-exports.ts';
export type { Peer, PeerOptions } from './gossip/peer/start-peer.ts';
export type { RunningPeer, SyncStep } from './gossip/peer/peer-control.ts';
export type { MessageRow, PeerInfo, PeerRow } from './gossip/message-view.ts';
export type { MeshPeerOptions } from './mesh-peer.ts';
export type { Relay, RelayOptions } from './relay/relay.ts';
export { CodedError, codeOf } from '../machines/kernel/coded-error.ts';
