/**
 * Six proofs that any machine owes: every resting state is reached, every event is handled, every
 * effect is used, every snapshot survives JSON, no state is a trap when effects fail or stay silent,
 * and each step from a plan is XState's. Call it at the top of the machine's spec.
 */
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import {
  traps,
  unhandledEvents,
  unpersistableStates,
  unreachedStates,
  unusedNames,
} from './model/machine-proofs.ts';
import type { MachineSuiteOptions } from './model/machine-proofs.ts';
import { exploreMachine } from './model/model-paths.ts';
import type { Model } from './model/model-paths.ts';
import { differingSteps } from './plans/twin-steps.ts';

export type { MachineSuiteOptions } from './model/machine-proofs.ts';

/** Declares the six proofs of `machine` under its id. */
export function machineSuite<TMachine extends AnyStateMachine>(
  machine: TMachine,
  options: MachineSuiteOptions<TMachine>,
): void {
  let explored: Model<TMachine> | undefined;
  const model = (): Model<TMachine> => (explored ??= exploreMachine(machine, options));

  describe(`${machine.id}, as any machine,`, () => {
    it('reaches every resting state', () => {
      expect(unreachedStates(machine, model(), options)).toEqual([]);
    });

    it('handles every event of its samples, and has a sample of every event it names', () => {
      expect(unhandledEvents(machine, model(), options)).toEqual([]);
    });

    it('uses every effect, action and delay that it declares', () => {
      const unused = unusedNames(machine, model(), options);
      expect(unused.toSorted()).toEqual(Object.keys(options.unused ?? {}).toSorted());
    });

    it('survives JSON in every state', () => {
      expect(unpersistableStates(machine, model(), options)).toEqual([]);
    });

    it('has a way out of every state when effects fail or stay silent', () => {
      expect(traps(machine, model(), options)).toEqual([]);
    });

    it('takes each step from a plan as XState takes it', () => {
      expect(differingSteps(machine, model(), options)).toEqual([]);
    });
  });
}
