/** The two machines of a Coordinator whose effects answer at once, walked with their real bindings. */
import { createMeshCertLogic } from '../../../actors/coordinator/mesh-cert.actor.ts';
import type { MeshCertConnection } from '../../../actors/coordinator/ports/connection.ts';
import type { CoordinatorPorts } from '../../../actors/coordinator/ports/services.ts';
import { createRecoveryLogic } from '../../../actors/coordinator/recovery.actor.ts';
import { coordinatorError } from '../../../machines/coordinator/errors.ts';
import { historyError } from '../../../machines/coordinator/history-errors.ts';
import { meshCertMachine } from '../../../machines/coordinator/mesh-cert.machine.ts';
import { recoveryMachine } from '../../../machines/coordinator/recovery.machine.ts';
import type { RecoveryResult } from '../../../machines/coordinator/recovery.machine.ts';
import {
  CERTIFIED,
  meshCertModel,
  recoveryModel,
  SUMMARY,
} from '../../support/coordinator/samples.ts';
import type { Gates } from '../../support/model/gates.ts';
import { held } from '../../support/model/held.ts';
import type { Walker } from '../../support/model/lane.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';

/** What a call of the world throws, set before it is made. */
function createFault() {
  let fault: unknown;
  return {
    set: (error: unknown) => (fault = error),
    /** Throws what was set, once. */
    check: () => {
      const thrown = fault;
      fault = undefined;
      if (thrown !== undefined) throw thrown;
    },
  };
}

/** An effect that reads the world once its gate is open. */
const answersAtOnce = (effect: string, gates: Gates, fault: ReturnType<typeof createFault>) => ({
  done: () => gates.open(effect, undefined),
  fail: (error: unknown) => {
    fault.set(error);
    gates.open(effect, undefined);
  },
});

/** A state in memory of which only what an answer takes is there. */
const STATE = {
  record: { transition: SUMMARY.transition },
  generation: SUMMARY.generation,
  manifest: {
    trustDomain: 'mesh.local',
    referenceValues: { hardware: 'optional' },
    policies: { [CERTIFIED.identity]: { name: 'a', role: 'workload', san: [] } },
  },
};

function meshCertWorld(gates: Gates, walker: Walker) {
  const fault = createFault();
  let status = 'ready';
  let tellState: (() => void) | undefined;
  let hangUp: (() => void) | undefined;
  const state = {
    ...STATE,
    authority: {
      issue: () => {
        fault.check();
        return { ...CERTIFIED.issued, certificate: new Uint8Array() };
      },
    },
  };
  const ports = {
    validators: { validatorFor: () => undefined },
    cell: {
      held: state,
      get published() {
        return { status };
      },
      take: () => {
        fault.check();
        return state;
      },
      onFact: () => () => {},
      onStatus: (tell: () => void) => {
        tellState = tell;
        return () => (tellState = undefined);
      },
    },
  } as unknown as CoordinatorPorts;
  const connection: MeshCertConnection = {
    id: 'c-1',
    attest: (_, signal) => gates.wait('attestPeer', signal),
    request: (signal) => gates.wait('awaitRequest', signal),
    reply: (_, signal) => gates.wait('sendReply', signal),
    close: () => {},
    onClose: (listener) => {
      hangUp = listener;
      return () => (hangUp = undefined);
    },
  };
  return {
    logic: held(createMeshCertLogic(ports, connection), gates, ['takeState', 'issueCertificate']),
    effects: {
      takeState: answersAtOnce('takeState', gates, fault),
      issueCertificate: answersAtOnce('issueCertificate', gates, fault),
      attestPeer: {
        done: (proven: object) =>
          gates.open('attestPeer', { ...proven, isHardware: false, publicKey: new Uint8Array() }),
      },
    },
    facts: {
      // Before somebody is served there is nobody to tell of a change.
      'state.changed': () => {
        status = 'stale';
        tellState?.();
        status = 'ready';
      },
      'connection.closed': () => (hangUp ?? (() => walker.send({ type: 'connection.closed' })))(),
    },
  };
}

modelWalk(meshCertMachine, { models: [meshCertModel], bind: meshCertWorld });

/** The error of the world that a try fails of, by the reason that it is to be given. */
const ERROR_OF: Readonly<Record<string, () => Error>> = {
  peer_refused: () => coordinatorError('MESH_ERR_COORDINATOR_PEER_REFUSED', 'It failed.'),
  wrong_seed: () => coordinatorError('MESH_ERR_COORDINATOR_WRONG_SEED', 'It failed.'),
  state_changed: () => coordinatorError('MESH_ERR_COORDINATOR_STATE_CHANGED', 'It failed.'),
  corrupt_history: () => historyError('MESH_ERR_HISTORY_CORRUPT', 'It failed.'),
  store_unavailable: () => historyError('MESH_ERR_HISTORY_UNAVAILABLE', 'It failed.'),
};

function recoveryWorld(gates: Gates) {
  const fault = createFault();
  let isNeeded = false;
  let jitter = 0;
  const ports = {
    cell: {
      get published() {
        fault.check();
        return { status: isNeeded ? 'recovering' : 'ready' };
      },
    },
    random: { fraction: () => jitter },
    directory: { peers: (signal: AbortSignal) => gates.wait('discoverPeers', signal) },
    history: { latest: () => gates.wait('recoverFromPeer') },
    notice: () => {},
  } as unknown as CoordinatorPorts;
  return {
    logic: held(createRecoveryLogic(ports), gates, ['checkState']),
    effects: {
      checkState: {
        done: (output: { isNeeded: boolean; jitter: number }) => {
          ({ isNeeded, jitter } = output);
          gates.open('checkState', undefined);
        },
        fail: (error: unknown) => {
          fault.set(error);
          gates.open('checkState', undefined);
        },
      },
      recoverFromPeer: {
        done: (result: RecoveryResult) => {
          const reason = result.type === 'failed' ? result.reason : '';
          gates.fail('recoverFromPeer', ERROR_OF[reason]?.());
        },
      },
    },
  };
}

modelWalk(recoveryMachine, {
  models: [recoveryModel],
  bind: recoveryWorld,
  // The binding words a failure as its error does.
  essence: ({ failure, ...context }) => ({ ...context, failure: failure?.reason }),
});
