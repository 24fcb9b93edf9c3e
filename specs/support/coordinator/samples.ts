/** What the guard of a Coordinator can be told. */
import type { Digest } from '../../../machines/kernel/ids.ts';
import type { historyWatchMachine } from '../../../machines/coordinator/history-watch.machine.ts';
import type {
  GuardView,
  StateguardEvent,
  stateguardMachine,
} from '../../../machines/coordinator/stateguard.machine.ts';
import type { ModelOptions } from '../model/model-paths.ts';

const held = { transition: 'ab'.repeat(32) as Digest, generation: 1 };

type ViewName = 'EMPTY' | 'ONLY_STORED' | 'HELD' | 'SUPERSEDED';

export const GUARD_VIEWS: Readonly<Record<ViewName, GuardView>> = {
  EMPTY: { held: null, isStored: false, isSuperseded: false },
  ONLY_STORED: { held: null, isStored: true, isSuperseded: true },
  HELD: { held, isStored: true, isSuperseded: false },
  SUPERSEDED: { held, isStored: true, isSuperseded: true },
};

export const GUARD_SAMPLES: readonly StateguardEvent[] = [
  ...Object.values<GuardView>(GUARD_VIEWS).flatMap((view): StateguardEvent[] => [
    { type: 'history.observed', view },
    { type: 'state.swapped', view },
  ]),
  { type: 'history.failed', message: 'The disk is full.' },
  { type: 'stop' },
];

/** A guard that begins. */
export const stateguardModel: ModelOptions<typeof stateguardMachine> = {
  input: undefined,
  samples: GUARD_SAMPLES,
  outputs: { readHistory: Object.values(GUARD_VIEWS) },
};

/** A watch that begins; failures beyond the second only count. */
export const historyWatchModel: ModelOptions<typeof historyWatchMachine> = {
  input: undefined,
  samples: [
    { type: 'latest.observed' },
    { type: 'watch.failed', message: 'The disk is full.' },
    { type: 'stop' },
  ],
  serialize: ({ failures }) => Math.min(failures, 2),
};
