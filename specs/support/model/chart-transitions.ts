/** The transitions of a chart by name, whether a walk has taken them or not. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** As much of a transition's definition as its name takes. */
export interface ChartTransition {
  readonly source: AnyStateNode;
  readonly eventType: string;
  readonly target?: readonly AnyStateNode[] | undefined;
}

/** All transitions that the chart draws, in its order. */
export function chartTransitions({ root }: AnyStateMachine): string[] {
  return nodesOf(root).flatMap((node) => drawnIn(node).map(transitionName));
}

const names = new WeakMap<ChartTransition, string>();

/** `launching.starting: recordInstance fails → settling`, with a number where two would be alike. */
export function transitionName(transition: ChartTransition): string {
  const known = names.get(transition);
  if (known !== undefined) return known;
  const name = nameAmong(transition);
  names.set(transition, name);
  return name;
}

function nameAmong(transition: ChartTransition): string {
  const { source } = transition;
  const alike = drawnIn(source).filter((one) => plainName(one) === plainName(transition));
  const at = alike.findIndex((one) => one === transition);
  return at > 0 ? `${plainName(transition)} (${at + 1})` : plainName(transition);
}

const nodesOf = (node: AnyStateNode): AnyStateNode[] => [
  node,
  ...Object.values(node.states).flatMap(nodesOf),
];

const drawnIn = (node: AnyStateNode): ChartTransition[] =>
  [...[...node.transitions.values()].flat(), ...(node.always ?? [])] as ChartTransition[];

const pathOf = (node: AnyStateNode): string => node.path.join('.') || 'anywhere';

function plainName({ source, eventType, target }: ChartTransition): string {
  const where = target?.map(pathOf).join(' + ') ?? 'stays';
  return `${pathOf(source)}: ${causeOf(source, eventType)} → ${where}`;
}

function causeOf(source: AnyStateNode, eventType: string): string {
  if (eventType === '') return 'always';
  const effect = /^xstate\.(done|error)\.actor\.(.*)$/.exec(eventType);
  if (effect) {
    const invoke = source.invoke.find(({ id }) => id === effect[2]);
    const name = typeof invoke?.src === 'string' ? invoke.src : effect[2];
    return `${name} ${effect[1] === 'done' ? 'is done' : 'fails'}`;
  }
  const delay = /^xstate\.after\.(.*)$/.exec(eventType)?.[1];
  if (delay === undefined) return eventType;
  const [name = delay] = delay.split(`.${source.id}`);
  return `after ${name}`;
}
