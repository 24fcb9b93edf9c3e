import { describe, expect, it } from 'vitest';
import { initialTransition, transition } from 'xstate';
import {
  EJECTION_MS_MAX,
  ejectionMs,
  isBeyondTolerance,
  targetMachine,
} from '../../../machines/workload/target.machine.ts';
import type { TargetEvent, TargetInput } from '../../../machines/workload/target.machine.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import { targetModel } from '../../support/model/workload-models.ts';

const input: TargetInput = { instance: 'hello-1', app: 'hello', drainTimeoutMs: 10_000 };
const failed = (failuresInRow: number): TargetEvent => ({
  type: 'connection.failed',
  kind: 'connect',
  failuresInRow,
});

machineSuite(targetMachine, targetModel);

function after(...events: TargetEvent[]) {
  let [snapshot] = initialTransition(targetMachine, input);
  for (const event of events) [snapshot] = transition(targetMachine, snapshot, event);
  return snapshot;
}

describe('target', () => {
  it('takes no decision before it is published', () => {
    expect(after(failed(9)).value).toBe('adding');
  });

  it('bears two failures in a row, and is ejected by the third', () => {
    expect(after({ type: 'target.published' }, failed(1), failed(2)).value).toBe('healthy');
    expect(after({ type: 'target.published' }, failed(3)).value).toBe('ejected');
  });

  it('comes back at once when it responds, and forgets its ejections', () => {
    const snapshot = after({ type: 'target.published' }, failed(3), {
      type: 'connection.recovered',
    });
    expect(snapshot.value).toBe('healthy');
    expect(snapshot.context.ejections).toBe(0);
  });

  it('drains also while it is ejected, and drains once', () => {
    const snapshot = after(
      { type: 'target.published' },
      failed(3),
      { type: 'drain' },
      { type: 'drain' },
    );
    expect(snapshot.value).toBe('draining');
  });
});

describe('isBeyondTolerance', () => {
  it('tolerates two', () => {
    expect([0, 1, 2, 3, 4].map(isBeyondTolerance)).toEqual([false, false, false, true, true]);
  });
});

describe('ejectionMs', () => {
  it('doubles up to a minute', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map(ejectionMs)).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
    ]);
    expect(ejectionMs(1e9)).toBe(EJECTION_MS_MAX);
  });
});
