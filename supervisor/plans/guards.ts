/** Which transition an event selects: guards are asked each time, in XState's order. */
import type { EventObject } from 'xstate';
import type {
  BuiltinGuard,
  Callable,
  GuardReference,
  Machine,
  MachineSnapshot,
  StateNode,
  Transition,
} from './machine-shape.ts';

/** A transition that is taken if its guard holds. */
export interface Candidate {
  readonly source: StateNode;
  readonly transition: Transition;
  readonly guard: Guard | undefined;
}

interface Guard {
  readonly implementation: Callable;
  readonly params: unknown;
  readonly name: string | undefined;
}

/**
 * What may be taken from a configuration that is one chain of nodes, best first: the innermost node
 * before the outer ones, the exact event before longer wildcards before shorter ones. Undefined where
 * only XState knows how to ask a guard.
 */
export function candidatesOf(
  machine: Machine,
  chain: readonly StateNode[],
  eventType: string,
): readonly Candidate[] | undefined {
  const candidates: Candidate[] = [];
  for (const source of chain.toReversed())
    for (const transition of transitionsOf(source, eventType)) {
      const guard = transition.guard ? guardOf(machine, transition.guard) : undefined;
      if (transition.guard && !guard) return undefined;
      candidates.push({ source, transition, guard });
      // What comes after a transition without a guard is never asked.
      if (!guard) return candidates;
    }
  return candidates;
}

/** The transitions of one node that name the event, in the order in which they are asked. */
export function transitionsOf({ transitions }: StateNode, eventType: string): Transition[] {
  const wildcards = [...transitions.keys()]
    .filter((descriptor) => descriptor !== eventType && matches(descriptor, eventType))
    .sort((a, b) => b.length - a.length)
    .flatMap((descriptor) => transitions.get(descriptor) ?? []);
  return [...(transitions.get(eventType) ?? []), ...wildcards];
}

function matches(descriptor: string, eventType: string): boolean {
  if (descriptor === '*') return true;
  if (!descriptor.endsWith('.*')) return false;
  const tokens = descriptor.split('.');
  const eventTokens = eventType.split('.');
  for (const [at, token] of tokens.entries()) {
    if (token === '*') return at === tokens.length - 1;
    if (token !== eventTokens[at]) return false;
  }
  return true;
}

function guardOf(machine: Machine, reference: GuardReference): Guard | undefined {
  const isInline = typeof reference === 'function';
  const name = typeof reference === 'string' ? reference : reference.type;
  const implementation = isInline ? reference : machine.implementations.guards[name as string];
  if (typeof implementation !== 'function') return undefined;
  const params =
    typeof reference === 'object' && 'params' in reference ? reference.params : undefined;
  const isNamed = typeof reference === 'string' || typeof reference === 'object';
  return {
    implementation: implementation as Callable,
    params,
    name: isNamed ? name : undefined,
  };
}

/** Whether the candidate is taken; an error of its guard is told as XState tells it. */
export function isTaken(
  { source, guard }: Candidate,
  snapshot: MachineSnapshot,
  event: EventObject,
): boolean {
  if (!guard) return true;
  try {
    return holds(guard, snapshot, event);
  } catch (error) {
    const name = guard.name ? `'${guard.name}' ` : '';
    // oxlint-disable-next-line preserve-caught-error -- XState's own error has no cause either
    throw new Error(
      `Unable to evaluate guard ${name}in transition for event '${event.type}' in state node ` +
        `'${source.id}':\n${(error as Error).message}`,
    );
  }
}

function holds(guard: Guard, snapshot: MachineSnapshot, event: EventObject): boolean {
  const { implementation, params: given } = guard;
  const args = { context: snapshot.context, event };
  const params =
    typeof given === 'function' ? (given as Callable)({ context: snapshot.context, event }) : given;
  if ('check' in implementation) {
    const builtin = implementation as BuiltinGuard;
    return builtin.check(snapshot, args, builtin);
  }
  return Boolean(implementation(args, params));
}
