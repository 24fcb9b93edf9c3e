/** Puts one Coordinator together: adapters behind ports, machines bound to them, as a subtree. */
import { COORDINATOR_IDENTITY } from '../../machines/coordinator/identities.ts';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  coordinatorFrontChildSpec,
  createCoordinatorFrontLogic,
} from '../../actors/coordinator/coordinator-front.actor.ts';
import { CONNECTIONS_ID, COORDINATOR_ID } from '../../actors/coordinator/paths.ts';
import type { ProvenIdentity } from '../../actors/coordinator/ports/attestation.ts';
import type { History } from '../../actors/coordinator/ports/history.ts';
import type { CoordinatorPorts } from '../../actors/coordinator/ports/services.ts';
import { StateCell } from '../../actors/coordinator/state-cell.ts';
import type { Supervision } from '../../actors/workload/ports/supervision.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import type { Random } from '../../machines/kernel/random.ts';
import type { Logger, SupervisorSpec } from '../../supervisor/index.ts';
import { systemClock } from '../adapters/clock.system.ts';
import { createFileFloor } from '../adapters/generation-floor.fs.ts';
import { createFileHistory } from '../adapters/history.fs.ts';
import { createSqliteHistory } from '../adapters/history.sqlite.ts';
import { createPeerFolder } from '../adapters/peers.fs.ts';
import type { PeerAddress } from '../adapters/peers.fs.ts';
import { systemRandom } from '../adapters/random.system.ts';
import { createProcessIssuer } from '../attest/process-evidence.ts';
import { createValidator } from '../attest/validator.ts';
import type { ListenerLimits } from '../attested-tls/limits.ts';
import { createTlsIdentity } from '../attested-tls/tls-identity.ts';
import type { RpcLimits } from '../rpc/limits.ts';
import { lockHome } from '../control/home-lock.ts';
import { createRecoveryTransport } from '../rpc/recovery-transport.ts';
import type { KeyFile } from '../spore/signing.ts';
import { createAuthorities } from '../x509/certificate-authority.ts';
import { coordinatorFacts, coordinatorPaths, ensureNodeKey } from './coordinator-identity.ts';
import { coordinatorTree } from './coordinator-tree.ts';
import type { CoordinatorView } from './coordinator-view.ts';
import { createFront } from './front.ts';
import { nodeKeyring } from './keyring.ts';
import { PEERS_FOLDER, coordinatorName } from './names.ts';
import { createViewReader } from './read-view.ts';
import { createUserApi } from './user-api.ts';

/** Where a history is kept, which several Coordinators of one machine may share. */
export interface HistoryPlace {
  readonly store: 'sqlite' | 'fs';
  /** Made if it is missing. Peers find each other in it. */
  readonly folder: string;
}

/** What a Coordinator can be given; all but its folder has a default. */
export interface CoordinatorOptions {
  /** Its own: node key (made where there is none), generation floor. Made if it is missing. */
  readonly folder: string;
  /** A DNS label, unique among peers. Default `c-` and the start of its key's id. */
  readonly name?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0, which takes a free one. */
  readonly port?: number;
  /** Default SQLite, in `history` of its folder. */
  readonly history?: HistoryPlace;
  /** Peers on other machines; those on the same history are found without. */
  readonly peers?: readonly PeerAddress[];
  /** Default 24 hours; renew a leaf at half of it. */
  readonly leafLifetimeMs?: number;
  /** How long it waits before each round of asking peers. Default 15 s, a fifth more or less. */
  readonly recoveryWaitMs?: number;
  readonly limits?: Partial<ListenerLimits>;
  readonly rpcLimits?: Partial<RpcLimits>;
  /** Where lines for the operator go. Default: nowhere. */
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** One Coordinator, before its tree is made. */
export interface CoordinatorParts {
  readonly name: string;
  /** The part of a tree that it is. */
  readonly spec: SupervisorSpec;
  readonly ports: CoordinatorPorts;
  /** Ed25519 public key that signs its evidence, 64 hex digits: for `nodeKeys` of a manifest. */
  readonly nodeKey: string;
  view(): Promise<CoordinatorView>;
  /** Closes the history and frees the folder; call it when the tree has ended. Idempotent. */
  close(): Promise<void>;
}

/** Where in a tree it is, and the tree. */
export interface CoordinatorPlace {
  readonly supervision: Pick<Supervision, 'startChild' | 'snapshotOf'>;
  /** Path of its supervisor; default `coordinator`, the root. */
  readonly path?: string;
  /** Awaited before its port opens; what it rejects with is told, and the port opens all the same. */
  readonly beforeOpening?: (ports: CoordinatorPorts) => Promise<void>;
}

const HISTORY_FILE = 'history.sqlite';

async function openHistory({ store, folder }: HistoryPlace, clock: Clock): Promise<History> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return store === 'fs'
    ? createFileHistory({ folder })
    : createSqliteHistory({ path: join(folder, HISTORY_FILE), clock });
}

/**
 * Opens what one Coordinator works with; nothing runs yet. Rejects with MESH_ERR_CONTROL_ALREADY_RUNNING
 * where its folder is in use, MESH_ERR_KEY_* for its node key, MESH_ERR_HISTORY_UNAVAILABLE, or what the
 * system says of its folder.
 */
export async function composeCoordinator(
  options: CoordinatorOptions,
  place: CoordinatorPlace,
): Promise<CoordinatorParts> {
  // Two with one key and one floor would speak for each other.
  const lock = lockHome(options.folder);
  try {
    const parts = await compose(options, place);
    const close = async (): Promise<void> => {
      await parts.close();
      lock.release();
    };
    return { ...parts, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function compose(
  options: CoordinatorOptions,
  place: CoordinatorPlace,
): Promise<CoordinatorParts> {
  const { clock = systemClock, random = systemRandom, logger } = options;
  const paths = coordinatorPaths(options.folder);
  const key = await ensureNodeKey(paths.keys);
  const name = options.name ?? coordinatorName(key);
  const historyPlace = options.history ?? { store: 'sqlite', folder: paths.history };
  const history = await openHistory(historyPlace, clock);
  const peers = createPeerFolder({
    folder: join(historyPlace.folder, PEERS_FOLDER),
    name,
    clock,
    ...(options.peers && { configured: options.peers }),
  });
  const issuer = createProcessIssuer(key, coordinatorFacts(name), clock);
  const ports: CoordinatorPorts = {
    cell: new StateCell(),
    history,
    floor: createFileFloor(paths.floor),
    keys: nodeKeyring,
    authorities: createAuthorities(clock, leafLifetimeOf(options)),
    validators: { validatorFor: (references) => createValidator(references, { clock }) },
    directory: peers,
    transport: createRecoveryTransport({
      identity: createTlsIdentity(clock.now()),
      issuer,
      clock,
      addressOf: peers.addressOf,
    }),
    clock,
    random,
    ...(options.recoveryWaitMs !== undefined && { recoveryWaitMs: options.recoveryWaitMs }),
    trace: (step, transition) =>
      logger?.({ level: 'debug', message: `${name}: recover: ${step} ${transition}`.trim() }),
    notice: (about, error) =>
      logger?.({ level: 'warn', message: `${name}: ${about}: ${String(error)}`, details: error }),
  };
  const { view, children } = composeFront({ options, place, name, key, ports, issuer, peers });
  const id = (place.path ?? COORDINATOR_ID).split('/').at(-1) ?? COORDINATOR_ID;
  return {
    name,
    ports,
    view,
    spec: coordinatorTree(ports, id, children),
    nodeKey: Buffer.from(key.publicKey).toString('hex'),
    close: () => history.close(),
  };
}

const leafLifetimeOf = ({ leafLifetimeMs }: CoordinatorOptions) =>
  leafLifetimeMs === undefined ? {} : { leafLifetimeMs };

interface FrontParts {
  readonly options: CoordinatorOptions;
  readonly place: CoordinatorPlace;
  readonly name: string;
  readonly key: KeyFile;
  readonly ports: CoordinatorPorts;
  readonly issuer: ReturnType<typeof createProcessIssuer>;
  readonly peers: ReturnType<typeof createPeerFolder>;
}

/** What its own evidence would prove to itself. */
function provenBy(key: KeyFile, instance: string, issuedAtMs: number): ProvenIdentity {
  const nodeKey = Buffer.from(key.publicKey).toString('hex');
  const claims = { ...coordinatorFacts(instance), nodeKey, issuedAtMs };
  const attested = { kind: 'process', claims } as const;
  return { identity: COORDINATOR_IDENTITY, isHardware: false, attested };
}

function composeFront({ options, place, name, key, ports, issuer, peers }: FrontParts) {
  const { supervision, path = COORDINATOR_ID } = place;
  let refused = 0;
  const view = createViewReader({
    name,
    ports,
    supervision,
    path,
    peers: peers.list,
    counts: () => front.counts,
    refused: () => refused,
    startedAtMs: ports.clock.now(),
  });
  const front = createFront({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    ports,
    issuer,
    userApi: createUserApi(ports, view),
    supervision,
    connectionsPath: `${path}/${CONNECTIONS_ID}`,
    onRefused: (what, error) => {
      refused++;
      options.logger?.({ level: 'debug', message: `${name}: refused ${what}: ${String(error)}` });
    },
    ...(options.limits && { limits: options.limits }),
    ...(options.rpcLimits && { rpcLimits: options.rpcLimits }),
  });
  const open: typeof front.open = async () => {
    await place.beforeOpening?.(ports).catch((error: unknown) => {
      ports.notice('putting the Coordinator in order', error);
    });
    return front.open();
  };
  const logic = createCoordinatorFrontLogic({
    cell: ports.cell,
    clock: ports.clock,
    notice: ports.notice,
    front: { open },
    register: peers,
    proven: provenBy(key, name, ports.clock.now()),
  });
  return { view, children: [coordinatorFrontChildSpec(logic)] };
}
