/** How states and events are called in the names of tests, and in pictures of ways. */
import type { AnyMachineSnapshot, EventObject } from 'xstate';

/** `serving.running`, and for parallel regions `left.idle + right.busy`. */
export function stateName(snapshot: AnyMachineSnapshot): string {
  const leaves = snapshot._nodes.filter(({ type }) => type === 'atomic' || type === 'final');
  return leaves.map(({ path }) => path.join('.')).join(' + ');
}

/** What an effect reports, without what XState puts before it. */
export const eventName = ({ type }: EventObject): string => type.replace(/^xstate\./, '');
