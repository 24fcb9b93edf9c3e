/** Binds the front of a Coordinator to its listener, its own certificate and the register of peers. */
import { fromCallback, fromPromise } from 'xstate';
import { coordinatorFrontMachine } from '../../machines/coordinator/coordinator-front.machine.ts';
import type {
  FrontAddress,
  FrontFact,
} from '../../machines/coordinator/coordinator-front.machine.ts';
import { crash } from '../../machines/kernel/unbound.ts';
import { childSpec } from '../../supervisor/index.ts';
import { FRONT_ID } from './paths.ts';
import type { ProvenIdentity } from './ports/attestation.ts';
import { ANNOUNCE_EVERY_MS } from './ports/front.ts';
import type { Front, OpenFront, PeerRegister } from './ports/front.ts';
import type { CoordinatorPorts } from './ports/services.ts';
import { issueMeshCert } from './serve-requests.ts';

type Provided = NonNullable<Parameters<typeof coordinatorFrontMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;
type Services = Pick<CoordinatorPorts, 'cell' | 'clock' | 'notice'>;

export interface FrontActorPorts extends Services {
  readonly front: Front;
  readonly register: PeerRegister;
  /** What this Coordinator proves to be; its own policy is looked up by it. */
  readonly proven: ProvenIdentity;
}

/** The manifest may not name this Coordinator yet; that is seen at the next state, or after this. */
const RETRY_MS = 60_000;
/** A timer's longest delay is less than 25 days; renewing each day is enough for any lifetime. */
const RENEW_MS_MAX = 24 * 3_600_000;

/** At half of what is left, as every holder of a leaf does. */
export const renewalDelayMs = (notAfterMs: number, nowMs: number): number =>
  Math.min(RENEW_MS_MAX, Math.max(0, Math.floor((notAfterMs - nowMs) / 2)));

const keepCertified = (ports: FrontActorPorts, opened: () => OpenFront) =>
  fromCallback<FrontFact, Record<string, never>>(({ sendBack }) => {
    const { cell, clock, notice, proven } = ports;
    const front = opened();
    let timer: unknown;
    let certified: unknown;
    const certify = (): void => {
      clock.clearTimeout(timer);
      try {
        const state = cell.take();
        const { issued, response } = issueMeshCert(state, proven, front.publicKey);
        front.show(response.certificateChain);
        certified = state;
        const { spiffeId, notAfterMs } = issued;
        sendBack({ type: 'certificate.renewed', certificate: { spiffeId, notAfterMs } });
        timer = clock.setTimeout(certify, renewalDelayMs(notAfterMs, clock.now()));
      } catch (error) {
        // The certificate before goes on being shown, and plain clients see it expire.
        notice('certifying the front of the Coordinator', error);
        sendBack({ type: 'certificate.failed', message: String(error) });
        timer = clock.setTimeout(certify, RETRY_MS);
      }
    };
    const look = (): void => {
      if (cell.published.status === 'ready' && cell.held !== certified) certify();
    };
    const stop = cell.onStatus(look);
    look();
    return () => {
      stop();
      clock.clearTimeout(timer);
    };
  });

const keepAnnounced = (
  { cell, clock, notice, register }: FrontActorPorts,
  onWithdrawing: (withdrawn: Promise<void>) => void,
) =>
  fromCallback<FrontFact, FrontAddress>(({ input: { host, port } }) => {
    let timer: unknown;
    let isOver = false;
    let last: Promise<void> = Promise.resolve();
    const failed = (error: unknown): void => notice('announcing the Coordinator to peers', error);
    const announce = (): void => {
      clock.clearTimeout(timer);
      const { status: state } = cell.published;
      last = last.then(() => register.announce({ host, port, state })).catch(failed);
      timer = clock.setTimeout(announce, ANNOUNCE_EVERY_MS);
    };
    const stop = cell.onStatus(announce);
    announce();
    return () => {
      if (isOver) return;
      isOver = true;
      stop();
      clock.clearTimeout(timer);
      // After the announcement that is under way, which would bring the entry back.
      onWithdrawing(last.then(() => register.withdraw()).catch(failed));
    };
  });

export function createCoordinatorFrontLogic(ports: FrontActorPorts) {
  let front: OpenFront | undefined;
  let withdrawn: Promise<void> = Promise.resolve();
  const opened = (): OpenFront => {
    if (front === undefined) throw new Error('A front that listens was opened.');
    return front;
  };
  const actors: Bindings = {
    crash,
    openFront: fromPromise(async () => {
      // A crashed incarnation could not close its own.
      await front?.drain(0);
      front = await ports.front.open();
      const { host, port } = front;
      return { host, port };
    }),
    watchFront: fromCallback<FrontFact, Record<string, never>>(({ sendBack }) => {
      let isOver = false;
      void opened().ended.then(() => {
        if (!isOver) sendBack({ type: 'front.ended' });
      });
      return () => {
        isOver = true;
      };
    }),
    keepCertified: keepCertified(ports, opened),
    keepAnnounced: keepAnnounced(ports, (withdrawing) => {
      withdrawn = withdrawing;
    }),
    drainFront: fromPromise(async ({ input }) => {
      // Peers stop asking before the calls that are under way have ended.
      await Promise.all([withdrawn, front?.drain(input.deadlineMs)]);
    }),
  };
  return coordinatorFrontMachine.provide({ actors });
}

/** Permanent, and ready once the port is open. */
export const coordinatorFrontChildSpec = (logic: ReturnType<typeof createCoordinatorFrontLogic>) =>
  childSpec({
    id: FRONT_ID,
    logic,
    ready: (snapshot) => snapshot.matches('listening'),
    shutdown: 10_000,
    backoff: { minMs: 50, maxMs: 5_000, factor: 2, jitter: 0.2, resetAfterMs: 30_000 },
  });
