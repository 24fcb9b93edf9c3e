/**
 * A machine's structure without its behaviour. XState itself walks it, so that what a step leaves,
 * enters and carries out, and in which order, is XState's answer and not an imitation of it.
 */
import type {
  ActionReference,
  Machine,
  MachineSnapshot,
  Scope,
  StateNode,
  Transition,
} from './machine-shape.ts';

/** What one microstep does to a configuration. */
export interface Trace {
  /** Exit, transition and entry actions in the order in which XState carries them out. */
  readonly actions: readonly ActionReference[];
  /** The configuration after it, in XState's order; undefined when it is the one before. */
  readonly nodes: readonly StateNode[] | undefined;
  readonly value: unknown;
  /** It invokes or stops actors. */
  readonly hasInvokes: boolean;
  /** The machine remembers where it was. */
  readonly hasHistory: boolean;
  /** Still `active` after it. */
  readonly isActive: boolean;
}

type Mark = () => void;
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const INVOKES = Symbol('invokes');
const PLAN_EVENT = Object.freeze({ type: 'plan' });

/** One for each machine. */
export class Skeleton {
  readonly #machine: Machine;
  readonly #original: Machine;
  readonly #marks = new Map<unknown, ActionReference | typeof INVOKES>();
  readonly #transitions = new Map<Transition, Transition>();

  constructor(original: Machine) {
    this.#original = original;
    this.#machine = original.provide({});
    // Nothing follows by itself, such as the end of a state that ends as it is entered.
    this.#machine.getTransitionData = () => [];
    for (const [id, node] of original.idMap) this.#strip(node, this.#nodeOf(id));
  }

  /** What XState does with `transitions`, taken together, in the configuration of `snapshot`. */
  trace(snapshot: MachineSnapshot, transitions: readonly Transition[]): Trace {
    const skeleton = this.#machine;
    const start: MachineSnapshot = {
      ...skeleton.resolveState({ value: snapshot.value, context: {} }),
      status: 'active',
      _nodes: snapshot._nodes.map(({ id }) => this.#nodeOf(id)),
    };
    const taken = transitions.map((transition) => this.#transitions.get(transition) as Transition);
    skeleton.getTransitionData = (_snapshot, event) => (event === PLAN_EVENT ? taken : []);
    return this.#walk((scope) => {
      const end = skeleton.transition(start, PLAN_EVENT, scope);
      return { end, isMoved: end !== start };
    });
  }

  /** What XState does when the machine starts. */
  traceStart(): Trace & { readonly before: MachineSnapshot } {
    const skeleton = this.#machine;
    const value = valueBeforeStart(this.#original);
    const before = { ...this.#original.resolveState({ value, context: {} }), status: 'active' };
    const { root } = this.#original;
    Object.assign(before, { value, _nodes: [root], tags: new Set(root.tags) });
    const start = { ...before, machine: skeleton, _nodes: [skeleton.root] };
    skeleton._getPreInitialState = () => start;
    const trace = this.#walk((scope) => ({
      end: skeleton.getInitialSnapshot(scope, undefined),
      isMoved: true,
    }));
    return { ...trace, before };
  }

  #walk(take: (scope: Scope) => { end: MachineSnapshot; isMoved: boolean }): Trace {
    const actions: ActionReference[] = [];
    let hasInvokes = false;
    const { end, isMoved } = take({
      self: undefined,
      system: { _sendInspectionEvent: () => {} },
      actionExecutor: ({ exec }) => {
        const action = this.#marks.get(exec);
        if (action === INVOKES) hasInvokes = true;
        else if (action !== undefined) actions.push(action);
      },
    });
    return {
      actions,
      nodes: isMoved ? end._nodes.map(({ id }) => this.#originalOf(id)) : undefined,
      value: end.value,
      hasInvokes,
      hasHistory: Object.keys(end.historyValue).length > 0,
      isActive: end.status === 'active',
    };
  }

  #nodeOf(id: string): Mutable<StateNode> {
    return this.#machine.idMap.get(id) as StateNode;
  }

  #originalOf(id: string): StateNode {
    return this.#original.idMap.get(id) as StateNode;
  }

  #strip(original: StateNode, node: Mutable<StateNode>): void {
    const invokes = original.invoke.length > 0 ? [this.#mark(INVOKES)] : [];
    node.entry = [...original.entry.map((action) => this.#mark(action)), ...invokes];
    node.exit = [...original.exit.map((action) => this.#mark(action)), ...invokes];
    node.always = undefined;
    Object.defineProperty(node, 'invoke', { value: [] });
    if (original.type !== 'history') {
      const actions = original.initial.actions.map((action) => this.#mark(action));
      Object.defineProperty(node, 'initial', { value: { ...node.initial, actions } });
    }
    for (const [descriptor, transitions] of original.transitions)
      for (const [at, transition] of transitions.entries()) {
        const own = node.transitions.get(descriptor)?.[at] as Transition;
        own.actions = transition.actions.map((action) => this.#mark(action));
        this.#transitions.set(transition, own);
      }
  }

  #mark(action: ActionReference | typeof INVOKES): Mark {
    const mark: Mark = () => {};
    this.#marks.set(mark, action);
    return mark;
  }
}

/** XState's own value of a machine that has entered nothing but its root; its context is not asked. */
function valueBeforeStart(machine: Machine): unknown {
  const config = { ...machine.config, context: {} };
  const withoutContext = Object.create(machine, { config: { value: config } }) as Machine;
  const before = withoutContext._getPreInitialState as unknown as (
    this: Machine,
  ) => MachineSnapshot;
  return before.call(withoutContext).value;
}
