/** Takes each step of a machine's model twice, in plain XState and from plans. */
import { isDeepStrictEqual } from 'node:util';
import { createActor } from 'xstate';
import type { AnyActor, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import { planned } from '../../../supervisor/plans/planned-machine.ts';
import { eventsIn } from '../model/model-paths.ts';
import type { Model, ModelOptions } from '../model/model-paths.ts';

type Take = (snapshot: AnyMachineSnapshot, event: EventObject, scope: never) => AnyMachineSnapshot;

/** Steps whose snapshot, actions or microsteps differ, by state and event. */
export function differingSteps<TMachine extends AnyStateMachine>(
  machine: TMachine,
  model: Model<TMachine>,
  options: ModelOptions<TMachine>,
): string[] {
  const differing: string[] = [];
  const self = createActor(machine, { input: options.input });
  const plain = machine.transition as unknown as Take;
  const fromPlan = planned(machine).transition as unknown as Take;
  for (const from of model.states as readonly AnyMachineSnapshot[])
    for (const event of eventsIn(from, options)) {
      const expected = sightOf(plain, from, event, self);
      // The first step makes the plan, the second follows it.
      for (const found of [1, 2].map(() => sightOf(fromPlan, from, event, self)))
        if (!isDeepStrictEqual(found, expected))
          differing.push(`${JSON.stringify(from.value)} ${event.type}`);
    }
  return differing;
}

/** What a step shows; its actions are written down instead of carried out. */
function sightOf(
  take: Take,
  from: AnyMachineSnapshot,
  event: EventObject,
  self: AnyActor,
): unknown {
  const seen: unknown[] = [];
  const scope = {
    self,
    id: '',
    sessionId: '',
    logger: () => {},
    defer: () => {},
    emit: () => {},
    stopChild: () => {},
    system: Object.assign(Object.create(self.system), {
      _sendInspectionEvent: (microstep: { snapshot?: AnyMachineSnapshot; event?: unknown }) => {
        if (microstep.snapshot) seen.push(microstep.event, partsOf(microstep.snapshot, from));
      },
    }) as unknown,
    actionExecutor: ({ type, params, info }: Record<string, unknown>) => {
      const { context, event: given } = info as { context: unknown; event: unknown };
      seen.push({ type, params: JSON.stringify(params), context, given });
    },
  };
  try {
    const after = take(from, event, scope as never);
    return [seen, partsOf(after, from), after === from, Object.keys(after)];
  } catch (error) {
    return [seen, String(error)];
  }
}

/** What was spawned is another actor each time, so children are compared by id. */
function partsOf(after: AnyMachineSnapshot, from: AnyMachineSnapshot): unknown {
  const { machine, children, context, matches, can, hasTag, getMeta, toJSON, ...parts } = after;
  const methods = [matches, can, hasTag, getMeta, toJSON];
  return {
    parts,
    context: JSON.stringify(context),
    children: Object.keys(children),
    isOfMachine: machine === from.machine,
    hasMethods: methods.every((method) => typeof method === 'function'),
  };
}
