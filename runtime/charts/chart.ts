/**
 * A state machine as plain data: what every picture of it is drawn from. Made from the definition
 * alone; no actor runs.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { actionNames, delayLabel, eventLabel, guardLabel } from './labels.ts';

/** `event`: by its name. `after`: by time. `always`: at once. The others: by what it invoked. */
export type TransitionKind = 'event' | 'after' | 'always' | 'done' | 'error';

/** One transition of a state, also one that stays where it is. */
export interface ChartTransition {
  /** `STATE|EVENT|INDEX`, unique in its chart and stable as long as the definition is. */
  readonly id: string;
  readonly kind: TransitionKind;
  /** The descriptor as XState knows it; '' for `always`. */
  readonly event: string;
  /** Id of the state that it leaves. */
  readonly source: string;
  /** Ids of the states that it enters; none when it stays where it is. */
  readonly targets: readonly string[];
  readonly guard?: string;
  readonly actions: readonly string[];
  /** Event and guard as people read them: `deployment.ended [isNewer]`, `after 5 s`. */
  readonly label: string;
}

export interface ChartState {
  /** Keys from below the root, joined by dots; '' for the root itself. */
  readonly id: string;
  readonly key: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** Id of the child that is entered first. */
  readonly initial?: string;
  readonly description?: string;
  readonly tags: readonly string[];
  /** Names of actions. */
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  /** Names of the actors that run while the state is active. */
  readonly invokes: readonly string[];
  readonly transitions: readonly ChartTransition[];
  readonly states: readonly ChartState[];
}

/** A machine, ready to be drawn. Plain JSON. */
export interface Chart {
  readonly name: string;
  readonly root: ChartState;
}

/** Same for every `provide()` of a machine, as those share its definition. */
export function chartOf(machine: AnyStateMachine): Chart {
  return { name: machine.id, root: stateOf(machine.root, machine) };
}

const idOf = (node: AnyStateNode): string => node.path.join('.');

/** Of the transition that stands at `index` among those of `event` in a state. */
export const transitionId = (source: AnyStateNode, event: string, index: number): string =>
  `${idOf(source)}|${event}|${index}`;

function stateOf(node: AnyStateNode, machine: AnyStateMachine): ChartState {
  const [initial] = node.type === 'compound' ? (node.initial?.target ?? []) : [];
  return {
    id: idOf(node),
    key: node.key,
    type: node.type,
    ...(initial === undefined ? {} : { initial: idOf(initial) }),
    ...(node.description === undefined ? {} : { description: node.description }),
    tags: [...node.tags],
    entry: actionNames(node.entry),
    exit: actionNames(node.exit),
    invokes: node.invoke.map(({ src }) => (typeof src === 'string' ? src : 'inline')),
    transitions: transitionsOf(node, machine),
    states: Object.values(node.states).map((child) => stateOf(child, machine)),
  };
}

type Definition = NonNullable<AnyStateNode['always']>[number];

function transitionsOf(node: AnyStateNode, machine: AnyStateMachine): ChartTransition[] {
  const delays = new Map(node.after.map(({ eventType, delay }) => [eventType, delay]));
  const rows: [string, readonly Definition[]][] = [
    ['', node.always ?? []],
    ...[...node.transitions].map(([event, list]): [string, Definition[]] => [event, list]),
  ];
  return rows.flatMap(([event, definitions]) => {
    const delay = delays.get(event);
    const trigger =
      delay === undefined ? eventLabel(event, node) : `after ${delayLabel(delay, machine)}`;
    return definitions.map((one, index) => {
      const guard = guardLabel(one.guard);
      return {
        id: transitionId(node, event, index),
        kind: kindOf(event),
        event,
        source: idOf(node),
        targets: (one.target ?? []).map(idOf),
        ...(guard === undefined ? {} : { guard }),
        actions: actionNames(one.actions),
        label: guard === undefined ? trigger : `${trigger} [${guard}]`,
      };
    });
  });
}

function kindOf(event: string): TransitionKind {
  if (event === '') return 'always';
  if (event.startsWith('xstate.after.')) return 'after';
  if (event.startsWith('xstate.error.')) return 'error';
  return event.startsWith('xstate.done.') ? 'done' : 'event';
}

/** Every state of a chart, parents before their children. */
export function* statesOf(state: ChartState): Generator<ChartState> {
  yield state;
  for (const child of state.states) yield* statesOf(child);
}
