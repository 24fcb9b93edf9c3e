/**
 * The supervision of one Coordinator, as data.
 *
 *     coordinator            one_for_one: memory is outside of them all
 *     ├─ stateguard          what requests get
 *     ├─ history-watch       what the history's latest transition is
 *     ├─ recovery            asks peers while memory is behind the history
 *     ├─ connections         one actor per NewMeshCert connection
 *     └─ front               the port, its certificate, and where peers find it
 */
import {
  createHistoryWatchLogic,
  historyWatchChildSpec,
} from '../../actors/coordinator/history-watch.actor.ts';
import { CONNECTIONS_ID, COORDINATOR_ID } from '../../actors/coordinator/paths.ts';
import type { CoordinatorPorts } from '../../actors/coordinator/ports/services.ts';
import { createRecoveryLogic, recoveryChildSpec } from '../../actors/coordinator/recovery.actor.ts';
import {
  createStateguardLogic,
  stateguardChildSpec,
} from '../../actors/coordinator/stateguard.actor.ts';
import type { ChildSpec, SupervisorSpec } from '../../supervisor/index.ts';
import { LISTENER_LIMITS } from '../attested-tls/limits.ts';

/**
 * Restarts within a minute: each child backs off by itself, so that only one that cannot start at
 * all comes so far.
 */
const INTENSITY = 30;
const PERIOD_MS = 60_000;

/** Connections at once, as many as a front takes. */
const CONNECTIONS_MAX = LISTENER_LIMITS.connectionsMax;

/** The part of a tree that keeps one Coordinator going; `more` are its front and who else needs it. */
export const coordinatorTree = (
  ports: CoordinatorPorts,
  id: string = COORDINATOR_ID,
  more: readonly ChildSpec[] = [],
): SupervisorSpec => ({
  id,
  type: 'supervisor',
  strategy: 'one_for_one',
  intensity: INTENSITY,
  periodMs: PERIOD_MS,
  children: [
    stateguardChildSpec(createStateguardLogic(ports)),
    historyWatchChildSpec(createHistoryWatchLogic(ports)),
    recoveryChildSpec(createRecoveryLogic(ports), ports),
    { id: CONNECTIONS_ID, type: 'supervisor', maxChildren: CONNECTIONS_MAX },
    ...more,
  ],
});
