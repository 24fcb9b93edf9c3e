/**
 * Several Coordinators on one history, in one process, under a virtual clock: real keys, real
 * certificates, real actors under supervision; the network between them is a function call.
 */
import { generateKeyPairSync } from 'node:crypto';
import type {
  ProvenIdentity,
  ValidatorSource,
} from '../../../actors/coordinator/ports/attestation.ts';
import type { GenerationFloor, History } from '../../../actors/coordinator/ports/history.ts';
import type {
  RecoverResponse,
  RecoveryTransport,
} from '../../../actors/coordinator/ports/peers.ts';
import type { CoordinatorPorts } from '../../../actors/coordinator/ports/services.ts';
import { serveRecover } from '../../../actors/coordinator/serve-requests.ts';
import { setManifest } from '../../../actors/coordinator/set-manifest.ts';
import type {
  SetManifestRequest,
  SetManifestResponse,
} from '../../../actors/coordinator/set-manifest.ts';
import { StateCell } from '../../../actors/coordinator/state-cell.ts';
import { coordinatorError } from '../../../machines/coordinator/errors.ts';
import type { GuardStatus } from '../../../machines/coordinator/stateguard.machine.ts';
import { coordinatorTree } from '../../../runtime/coordinator/coordinator-tree.ts';
import { nodeKeyring } from '../../../runtime/coordinator/keyring.ts';
import { createAuthorities } from '../../../runtime/x509/certificate-authority.ts';
import { createTree } from '../../../supervisor/index.ts';
import type { Journal, LogLine, SupervisorReport, Tree } from '../../../supervisor/index.ts';
import { seededRandom } from '../supervised.ts';
import { VirtualClock, settle } from '../virtual-clock.ts';
import { createDisk, createMemoryFloor, createMemoryHistory, sha256 } from './memory-history.ts';
import type { HistoryDisk } from './memory-history.ts';

/** The identity that Coordinators of these worlds prove. */
export const COORDINATOR_IDENTITY = 'c0'.repeat(32);
/** A workload's. */
export const WORKLOAD_IDENTITY = 'ab'.repeat(32);

/** Made once: RSA keys take their time. */
export const SEED_OWNER = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const SEED_OWNER_SPKI: Uint8Array = SEED_OWNER.publicKey.export({
  type: 'spki',
  format: 'der',
});
/** The workload owner, and somebody else. */
export const [OWNER_KEY, STRANGER_KEY] = [0, 1].map((): Uint8Array =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
    type: 'spki',
    format: 'der',
  }),
) as [Uint8Array, Uint8Array];

/** A manifest as an object; `overrides` replaces whole fields. */
export const manifestSource = (overrides: Record<string, unknown> = {}) => ({
  kind: 'MeshManifest',
  version: 1,
  trustDomain: 'mesh.local',
  policies: {
    [COORDINATOR_IDENTITY]: { name: 'coordinator', role: 'coordinator', san: ['coordinator'] },
    [WORKLOAD_IDENTITY]: {
      name: 'hello',
      role: 'workload',
      san: ['hello.mesh.local', '127.0.0.1'],
      workloadSecretId: 'hello',
    },
  },
  workloadOwnerKeyDigests: [sha256(OWNER_KEY)],
  seedShareOwnerKeys: [Buffer.from(SEED_OWNER_SPKI).toString('base64')],
  referenceValues: { process: { nodeKeys: ['11'.repeat(32)] }, hardware: 'optional' },
  ...overrides,
});

/** Its exact bytes. */
export const manifestBytes = (overrides: Record<string, unknown> = {}): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(manifestSource(overrides)));

let keys = 0;
/** A request by the workload owner, with an idempotency key of its own. */
export const setRequest = (overrides: Partial<SetManifestRequest> = {}): SetManifestRequest => ({
  manifest: manifestBytes(),
  policies: [],
  previous: null,
  idempotencyKey: (++keys).toString(16).padStart(32, '0'),
  callerKey: OWNER_KEY,
  ...overrides,
});

/** No evidence passes between function calls: peers prove what the world says. */
export const noValidators: ValidatorSource = {
  validatorFor: () => ({
    validate: () => Promise.reject(new Error('Nothing is validated in this world.')),
  }),
};

export interface MemberOptions {
  readonly name: string;
  readonly history?: History;
  readonly floor?: GenerationFloor;
  /** What the member proves to be. Default: a coordinator. */
  readonly identity?: string;
  /** Where its guard remembers. Default: nowhere. */
  readonly journal?: Journal;
  /** Wraps the ports, for faults. */
  readonly wrap?: (ports: CoordinatorPorts) => CoordinatorPorts;
}

/** One Coordinator of a world. */
export class Member {
  readonly name: string;
  readonly identity: string;
  readonly ports: CoordinatorPorts;
  readonly tree: Tree;
  readonly floor: GenerationFloor;
  readonly reports: SupervisorReport[] = [];

  constructor(world: CoordinatorWorld, options: MemberOptions) {
    this.name = options.name;
    this.identity = options.identity ?? COORDINATOR_IDENTITY;
    this.floor = options.floor ?? createMemoryFloor();
    const ports: CoordinatorPorts = {
      cell: new StateCell(),
      history: options.history ?? createMemoryHistory(world.disk),
      floor: this.floor,
      keys: nodeKeyring,
      authorities: createAuthorities(world.clock),
      validators: noValidators,
      directory: { peers: async () => world.readyPeersOf(this) },
      transport: world.transportOf(this),
      clock: world.clock,
      random: world.random,
      notice: (what, error) => world.notices.push({ what, error }),
    };
    this.ports = options.wrap?.(ports) ?? ports;
    const { clock, random } = world;
    const logger = (line: LogLine): unknown => world.log.push(line);
    const { journal } = options;
    this.tree = createTree(coordinatorTree(this.ports, this.name), {
      clock,
      random,
      logger,
      ...(journal && { journal }),
    });
    this.tree.onReport((report) => this.reports.push(report));
  }

  get status(): GuardStatus {
    return this.ports.cell.published.status;
  }

  set(overrides: Partial<SetManifestRequest> = {}): Promise<SetManifestResponse> {
    return setManifest(this.ports, setRequest(overrides));
  }

  /** The Recover call, as a peer makes it. */
  serve(proven: ProvenIdentity): RecoverResponse {
    return serveRecover(this.ports, proven);
  }
}

/** Coordinators, and the clock that they share. */
export class CoordinatorWorld implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly random;
  readonly disk: HistoryDisk = createDisk();
  readonly members: Member[] = [];
  readonly notices: { readonly what: string; readonly error: unknown }[] = [];
  readonly log: LogLine[] = [];
  /** What a spec does to the answers of peers. */
  tamper: (response: RecoverResponse, peer: Member) => RecoverResponse = (response) => response;

  constructor(seed = 1) {
    this.random = seededRandom(seed);
  }

  async add(options: Partial<MemberOptions> = {}): Promise<Member> {
    const member = new Member(this, { name: `c${this.members.length}`, ...options });
    this.members.push(member);
    await this.until(member.tree.start());
    return member;
  }

  /** Its memory is lost; what it kept outside is not. */
  async restart(member: Member, options: Partial<MemberOptions> = {}): Promise<Member> {
    await this.kill(member);
    return this.add({ name: `${member.name}x`, floor: member.floor, ...options });
  }

  async kill(member: Member): Promise<void> {
    this.members.splice(this.members.indexOf(member), 1);
    await this.until(member.tree.stop());
  }

  statuses(): GuardStatus[] {
    return this.members.map(({ status }) => status);
  }

  readyPeersOf(member: Member): string[] {
    return this.members
      .filter((one) => one !== member && one.status === 'ready')
      .map(({ name }) => name);
  }

  transportOf(member: Member): RecoveryTransport {
    return {
      recover: async (name, { authorise }) => {
        const peer = this.members.find((one) => one.name === name);
        if (!peer)
          throw coordinatorError('MESH_ERR_COORDINATOR_PEER_REFUSED', `${name} is not there.`);
        authorise({ identity: peer.identity, isHardware: false });
        return this.tamper(peer.serve({ identity: member.identity, isHardware: false }), peer);
      },
    };
  }

  /** Lets time pass until the promise settles. */
  async until<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    for (let turn = 0; turn < 600 && !isSettled; turn++) {
      await settle();
      if (!isSettled) await this.clock.advance(100);
    }
    return promise;
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.members) await this.until(member.tree.stop());
  }
}
