/** Binds peer recovery to the state in memory, the directory of peers and the transport. */
import { fromPromise } from 'xstate';
import { recoveryFailureOf } from '../../machines/coordinator/errors.ts';
import { recoveryMachine } from '../../machines/coordinator/recovery.machine.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { crash } from '../../machines/kernel/unbound.ts';
import { childSpec } from '../../supervisor/index.ts';
import { RECOVERY_ID } from './paths.ts';
import type { CoordinatorPorts } from './ports/services.ts';
import { isRecoveryNeeded, recoverFromPeer } from './recover-state.ts';

type Provided = NonNullable<Parameters<typeof recoveryMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;

export function createRecoveryLogic(ports: CoordinatorPorts) {
  const actors: Bindings = {
    crash,
    checkState: fromPromise(async () => ({
      isNeeded: isRecoveryNeeded(ports),
      jitter: ports.random.fraction(),
    })),
    discoverPeers: fromPromise(({ signal }) => ports.directory.peers(signal)),
    recoverFromPeer: fromPromise(async ({ input: { peer }, signal }) => {
      try {
        const state = await recoverFromPeer(ports, peer, signal);
        return { type: 'recovered', state };
      } catch (error) {
        const reason = recoveryFailureOf(codeOf(error));
        // A fault of the program is the supervisor's to answer.
        if (reason === undefined) throw error;
        ports.notice(`recovering from ${peer}`, error);
        return { type: 'failed', reason, message: String(error) };
      }
    }),
  };
  return recoveryMachine.provide({ actors });
}

/** Permanent: its rounds never end; a crash begins a new one. */
export const recoveryChildSpec = (
  logic: ReturnType<typeof createRecoveryLogic>,
  { random, recoveryWaitMs }: Pick<CoordinatorPorts, 'random' | 'recoveryWaitMs'>,
) =>
  childSpec({
    id: RECOVERY_ID,
    logic,
    input: () => ({
      jitter: random.fraction(),
      ...(recoveryWaitMs !== undefined && { waitMs: recoveryWaitMs }),
    }),
    backoff: { minMs: 100, maxMs: 15_000, factor: 3, jitter: 0.2, resetAfterMs: 60_000 },
  });
