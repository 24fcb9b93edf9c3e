/** Which events a machine would take now, and which guard stands in the way of the others. */
import type { AnyMachineSnapshot, EventObject } from 'xstate';
import type { Accepted } from '../ui/wire.types.ts';
import type { KnownChart } from './chart-registry.ts';

/** Events of XState's own and wildcards are not for people to send. */
const isSendable = (event: string): boolean => event !== '' && !/^xstate\.|\*$/.test(event);

export function acceptedBy(
  snapshot: AnyMachineSnapshot,
  { transitions }: KnownChart,
  active: readonly string[],
): Accepted[] {
  const guards = new Map<string, string | undefined>();
  for (const state of ['', ...active])
    for (const { event, guard } of transitions.get(state) ?? [])
      if (isSendable(event) && guards.get(event) === undefined) guards.set(event, guard);
  return [...guards].map(([event, guard]) => {
    const isEnabled = canTake(snapshot, { type: event });
    return isEnabled || guard === undefined ? { event, isEnabled } : { event, isEnabled, guard };
  });
}

function canTake(snapshot: AnyMachineSnapshot, event: EventObject): boolean {
  try {
    return snapshot.can(event);
  } catch {
    // A guard that reads the event's data throws on one without any; so it depends on the data.
    return true;
  }
}
