import { describe, expect, it } from 'vitest';
import { initialTransition, transition } from 'xstate';
import { coordinatorFrontMachine } from '../../../machines/coordinator/coordinator-front.machine.ts';
import { historyWatchMachine } from '../../../machines/coordinator/history-watch.machine.ts';
import { meshCertMachine } from '../../../machines/coordinator/mesh-cert.machine.ts';
import {
  canAskNext,
  recoveryMachine,
  jitteredMs,
} from '../../../machines/coordinator/recovery.machine.ts';
import type { RecoveryResult } from '../../../machines/coordinator/recovery.machine.ts';
import { RECOVERY_FAILURES } from '../../../machines/coordinator/errors.ts';
import { stateguardMachine } from '../../../machines/coordinator/stateguard.machine.ts';
import type { StateguardEvent } from '../../../machines/coordinator/stateguard.machine.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import {
  coordinatorFrontModel,
  GUARD_VIEWS,
  historyWatchModel,
  meshCertModel,
  recoveryModel,
  stateguardModel,
  SUMMARY,
} from '../../support/coordinator/samples.ts';

const { EMPTY, ONLY_STORED, HELD, SUPERSEDED } = GUARD_VIEWS;

machineSuite(stateguardMachine, stateguardModel);
machineSuite(historyWatchMachine, historyWatchModel);

machineSuite(recoveryMachine, {
  ...recoveryModel,
  outputs: {
    ...recoveryModel.outputs,
    recoverFromPeer: [
      { type: 'recovered', state: SUMMARY },
      ...RECOVERY_FAILURES.map((reason) => ({ type: 'failed', reason, message: 'It failed.' })),
    ],
  },
});
machineSuite(meshCertMachine, meshCertModel);
machineSuite(coordinatorFrontMachine, coordinatorFrontModel);

/** The state that a row of events leads to from a guard that holds what `first` says. */
function guardAfter(...events: StateguardEvent[]): unknown {
  let [snapshot] = initialTransition(stateguardMachine);
  for (const event of events) [snapshot] = transition(stateguardMachine, snapshot, event);
  return snapshot.value;
}
const observed = (view: typeof EMPTY): StateguardEvent => ({ type: 'history.observed', view });
const swapped = (view: typeof EMPTY): StateguardEvent => ({ type: 'state.swapped', view });
const failed: StateguardEvent = { type: 'history.failed', message: 'The disk is full.' };

describe('stateguard', () => {
  it.each([
    ['nothing in memory, nothing stored', EMPTY, 'empty'],
    ['nothing in memory, something stored', ONLY_STORED, 'recovering'],
    ['a state in memory', HELD, 'ready'],
    ['a state in memory, a newer one stored', SUPERSEDED, 'stale'],
  ])('is told %s', (_, view, state) => {
    expect(guardAfter(observed(view))).toBe(state);
  });

  it('makes no stale state fresh by looking again, only by a swap', () => {
    expect(guardAfter(observed(SUPERSEDED), observed(HELD))).toBe('stale');
    expect(guardAfter(observed(SUPERSEDED), swapped(HELD))).toBe('ready');
    expect(guardAfter(observed(SUPERSEDED), swapped(SUPERSEDED))).toBe('stale');
  });

  it('serves what is in memory while the history cannot be read', () => {
    expect(guardAfter(observed(HELD), failed)).toBe('ready');
    expect(guardAfter(observed(SUPERSEDED), failed)).toBe('stale');
    expect(guardAfter(observed(ONLY_STORED), failed)).toEqual({ storeUnavailable: 'waiting' });
    expect(guardAfter(observed(EMPTY), failed, observed(ONLY_STORED))).toBe('recovering');
  });
});

describe('jitteredMs', () => {
  it('is 15 seconds, a fifth longer or shorter', () => {
    expect([0, 0.5, 1].map((jitter) => jitteredMs(jitter))).toEqual([12_000, 15_000, 18_000]);
    expect(jitteredMs(1, 1_000)).toBe(1_200);
  });
});

describe('canAskNext', () => {
  it('asks another peer only where the fault may be the peer', () => {
    const next = RECOVERY_FAILURES.filter((reason) =>
      canAskNext({ type: 'failed', reason, message: '' } satisfies RecoveryResult),
    );
    expect(next).toEqual(['peer_refused', 'wrong_seed', 'state_changed']);
  });
});
