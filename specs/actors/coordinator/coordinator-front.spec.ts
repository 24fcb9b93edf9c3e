/** The front, walked with its real bindings: what it opens, shows and announces. */
import { describe, expect, it } from 'vitest';
import {
  createCoordinatorFrontLogic,
  renewalDelayMs,
} from '../../../actors/coordinator/coordinator-front.actor.ts';
import type { FrontActorPorts } from '../../../actors/coordinator/coordinator-front.actor.ts';
import type { OpenFront } from '../../../actors/coordinator/ports/front.ts';
import { coordinatorFrontMachine } from '../../../machines/coordinator/coordinator-front.machine.ts';
import {
  CERTIFIED,
  coordinatorFrontModel,
  type FRONT_ADDRESS,
  SUMMARY,
} from '../../support/coordinator/samples.ts';
import type { Gates } from '../../support/model/gates.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';

const FAILURE = 'It is not named.';
const newState = () => ({
  record: { transition: SUMMARY.transition },
  manifest: {
    trustDomain: 'mesh.local',
    referenceValues: { hardware: 'optional' },
    policies: { [CERTIFIED.identity]: { name: 'a', role: 'workload', san: [] } },
  },
  authority: { issue: () => ({ ...CERTIFIED.issued, certificate: new Uint8Array() }) },
});

function frontWorld(gates: Gates) {
  let fault: Error | undefined;
  let held: ReturnType<typeof newState> | null = null;
  let status = 'empty';
  const listeners = new Set<() => void>();
  let end = (): void => undefined;
  const tell = (): void => {
    held = newState();
    status = 'ready';
    for (const listener of listeners) listener();
  };
  const open = async (): Promise<OpenFront> => {
    const address = await gates.wait<typeof FRONT_ADDRESS>('openFront');
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    end = resolve;
    return {
      ...address,
      ended,
      publicKey: new Uint8Array(),
      show: () => {
        if (fault !== undefined) throw fault;
      },
      // Without a deadline, as what a crashed incarnation has left is closed, it is at once.
      drain: (deadlineMs) => (deadlineMs > 0 ? gates.wait('drainFront') : Promise.resolve()),
    };
  };
  const ports = {
    cell: {
      get held() {
        return held;
      },
      get published() {
        return { status };
      },
      take: () => held,
      onStatus: (listener: () => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    clock: { now: () => 0, setTimeout: () => undefined, clearTimeout: () => undefined },
    notice: () => undefined,
    front: { open },
    register: { announce: async () => undefined, withdraw: async () => undefined },
    proven: { identity: CERTIFIED.identity, isHardware: false },
  };
  return {
    reset: () => {
      fault = undefined;
      held = null;
      status = 'empty';
    },
    logic: createCoordinatorFrontLogic(ports as unknown as FrontActorPorts),
    facts: {
      'front.ended': () => end(),
      'certificate.renewed': () => {
        fault = undefined;
        tell();
      },
      'certificate.failed': () => {
        fault = new Error(FAILURE);
        tell();
      },
    },
  };
}

modelWalk(coordinatorFrontMachine, { models: [coordinatorFrontModel], bind: frontWorld });

describe('renewalDelayMs', () => {
  it('is half of what is left, never negative, and never longer than a day', () => {
    expect(renewalDelayMs(10_000, 4_000)).toBe(3_000);
    expect(renewalDelayMs(1_000, 4_000)).toBe(0);
    expect(renewalDelayMs(10 * 365 * 86_400_000, 0)).toBe(86_400_000);
  });
});
