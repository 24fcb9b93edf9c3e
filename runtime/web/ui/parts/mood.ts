import type { GuardStatus } from '../../../../machines/coordinator/stateguard.machine.ts';

/** How something of the mesh is doing, in the four colours and signs that the page has for it. */
export type Mood = 'good' | 'bad' | 'busy' | 'idle';

/** How the states of a Coordinator read. */
export const COORDINATOR_MOODS: Readonly<Record<GuardStatus, Mood>> = {
  ready: 'good',
  empty: 'idle',
  recovering: 'busy',
  stale: 'bad',
  storeUnavailable: 'bad',
};

const RELAY: Readonly<Record<string, Mood>> = {
  reachable: 'good',
  connected: 'good',
  unreachable: 'bad',
  unknown: 'idle',
};

/** How the state of a relay reads; one that is not known is on its way to another. */
export const relayMood = (state: string): Mood => RELAY[state] ?? 'busy';

/** How the last session with a peer ended, where the line says so: `idle, last done`. */
export function peerMood(line: string): Mood {
  const [, outcome] = /, last (\w+)$/.exec(line) ?? [];
  if (outcome !== undefined) return outcome === 'done' ? 'good' : 'bad';
  return line === 'idle' ? 'idle' : 'busy';
}
