/**
 * The words and rules of a slot: what it should be running, whether that takes a new instance, how
 * long to wait after a failure, and how it reads in a report. Pure functions;
 * `agent-app.machine.ts` applies them.
 */
import type { InstanceNews } from './instance-rules.ts';
import type { InstanceRecord } from './instance-record.ts';
import type { Assignment, Reason, Revision, Slot, SlotReport, SlotState } from './plan.ts';

/** An instance of this slot. */
export interface Live extends Revision {
  readonly instance: string;
  readonly generation: number;
  readonly version: string;
}

/** What the slot should run now, and whether it may take traffic as soon as it is ready. */
export interface Goal extends Revision {
  readonly generation: number;
  readonly version: string;
  readonly mayServe: boolean;
}

/** Where the slot stands, from which its report is made. */
export type Phase = Exclude<SlotState, 'failed'>;

/** What a slot knew before its actor or the runtime died, as far as its records do not say it. */
export interface Remembered extends Pick<
  AgentAppContext,
  | 'generation'
  | 'lastServed'
  | 'failures'
  | 'hadServed'
  | 'jitter'
  | 'restarts'
  | 'failedGeneration'
  | 'reason'
  | 'waitMs'
> {}

export interface AgentAppInput {
  readonly slot: Slot;
  readonly desired: Assignment | null;
  readonly remembered?: Remembered;
}

export interface AgentAppContext extends Omit<AgentAppInput, 'remembered'> {
  /** The newest one that was assigned, also after it was taken back. */
  readonly generation: number;
  readonly active: Live | null;
  readonly candidate: Live | null;
  readonly lastServed: Live | null;
  /** Ids of instances that were told to end and have not yet. */
  readonly retiring: readonly string[];
  /** In a row; see STABLE_AFTER_MS. */
  readonly failures: number;
  /** The last failure was the end of an instance that had served. */
  readonly hadServed: boolean;
  readonly jitter: number;
  /** What was left of the back-off in which a predecessor died; null: wait for all of it. */
  readonly waitMs: number | null;
  readonly restarts: number;
  readonly failedGeneration: number;
  readonly reason: Reason | null;
  readonly phase: Phase;
  /** What was said last, so that a report is made exactly when there is news. */
  readonly reported: string;
  /** What this actor gives up over. */
  readonly crash: string;
}

export type AgentAppCommand = { type: 'assign'; desired: Assignment | null } | { type: 'stop' };
export type AgentAppFact =
  | InstanceNews
  | { type: 'instance.lost'; instance: string }
  | { type: 'report.failed'; message: string };
export type AgentAppEvent = AgentAppCommand | AgentAppFact;

export type Ending = Pick<Extract<InstanceNews, { type: 'instance.ended' }>, 'reason' | 'jitter'>;

/** How an instance is to go: with its requests finished, or at once. */
export type Farewell = 'drain' | 'abort';

export type UnsentReport = Omit<SlotReport, 'updatedAtMs'>;

/** First wait of a respawn, doubling: a single crash must not be felt. */
export const BACKOFF_MIN_MS = 50;
/** Longest wait after a launch that never served: a broken program costs two starts a minute. */
export const BACKOFF_MAX_MS = 30_000;
/** Longest wait after an instance that served: it works, and whatever ends it, its users wait. */
export const SERVED_BACKOFF_MAX_MS = 1_000;
/** Failures in a row from which on a slot is said to be crash-looping. */
export const CRASH_LOOP_FAILURES = 5;
/** An instance that served for this long has proved itself; its next crash counts as the first. */
export const STABLE_AFTER_MS = 10_000;
/** Instances of one slot on their way out; a rollout a second for a whole drain stays below. */
export const RETIRING_MAX = 64;

export const isSameRevision = (a: Revision, b: Revision): boolean =>
  a.digest === b.digest && a.restart === b.restart;

/**
 * What a slot should run. While it is told to hold, that is what it served last, so that a crash
 * during somebody else's turn is repaired with the old revision.
 */
export function goalOf({
  desired,
  lastServed,
}: Pick<AgentAppContext, 'desired' | 'lastServed'>): Goal | null {
  if (desired === null) return null;
  const { digest, restart, generation, version, permission } = desired;
  if (permission !== 'hold')
    return { digest, restart, generation, version, mayServe: permission === 'serve' };
  return lastServed === null ? null : { ...lastServed, mayServe: true };
}

/** A candidate that is ready may take the traffic. */
export const mayServe = (context: AgentAppContext): boolean => goalOf(context)?.mayServe ?? false;

/** The candidate of this very generation failed, and must not be tried again by this slot alone. */
export const hasFailed = (context: AgentAppContext): boolean =>
  context.desired !== null &&
  context.desired.permission === 'launch' &&
  context.failedGeneration === context.desired.generation;

/** A new instance is to be launched: there is none of the wanted revision. */
export function isLaunchDue(context: AgentAppContext): boolean {
  const goal = goalOf(context);
  if (goal === null || hasFailed(context)) return false;
  return context.active === null || !isSameRevision(context.active, goal);
}

/** A candidate is of no use any more: another revision is wanted, or none. */
export function isObsolete(context: AgentAppContext): boolean {
  if (context.candidate === null) return false;
  const goal = goalOf(context);
  return goal === null || !isSameRevision(context.candidate, goal);
}

/** A singleton's old instance must be gone before the new one starts. */
export const mustStopFirst = (context: AgentAppContext): boolean =>
  isLaunchDue(context) && context.active !== null && context.desired?.strategy === 'stop_first';

export const isCrashLooping = ({ failures }: Pick<AgentAppContext, 'failures'>): boolean =>
  failures >= CRASH_LOOP_FAILURES;

/** Where a slot begins: fresh, or with what its predecessor knew. */
export const knownOf = ({ desired, remembered }: AgentAppInput): Remembered => {
  const known = remembered ?? NOTHING;
  return desired === null ? known : { ...known, ...newGeneration(known, desired) };
};

const NOTHING: Remembered = {
  generation: 0,
  lastServed: null,
  failures: 0,
  hadServed: false,
  jitter: 0,
  waitMs: null,
  restarts: 0,
  failedGeneration: 0,
  reason: null,
};

/** A new generation starts with a clean slate: its predecessor's failures are not its own. */
export const newGeneration = (
  { generation }: Pick<AgentAppContext, 'generation'>,
  desired: Assignment,
): Partial<AgentAppContext> =>
  desired.generation === generation
    ? {}
    : { generation: desired.generation, failures: 0, reason: null, waitMs: null };

/** Of a past context what is still true; `waitMs` as its back-off's deadline has it. */
export const rememberedOf = (
  {
    generation,
    lastServed,
    failures,
    hadServed,
    jitter,
    restarts,
    failedGeneration,
    reason,
  }: AgentAppContext,
  waitMs: number | null,
): Remembered => ({
  generation,
  lastServed,
  failures,
  hadServed,
  jitter,
  restarts,
  failedGeneration,
  reason,
  waitMs,
});

/** Exponential, with up to 50 % jitter on top, so that slots that fell together rise apart. */
export function backoffMs({
  failures,
  jitter,
  hadServed,
}: Pick<AgentAppContext, 'failures' | 'jitter' | 'hadServed'>): number {
  const maxMs = hadServed ? SERVED_BACKOFF_MAX_MS : BACKOFF_MAX_MS;
  const doublings = Math.min(20, Math.max(0, failures - 1));
  return Math.min(maxMs, BACKOFF_MIN_MS * 2 ** doublings) * (1 + jitter / 2);
}

/** An instance as its slot remembers it. */
export const live = (record: InstanceRecord): Live => ({
  instance: record.instance,
  generation: record.generation,
  version: record.version,
  digest: record.digest,
  restart: record.restart,
});

/** The ids of those on their way out, bounded to RETIRING_MAX. */
export const retire = (
  retiring: readonly string[],
  ...leaving: readonly (Live | null)[]
): readonly string[] =>
  [...retiring, ...leaving.flatMap((one) => (one === null ? [] : [one.instance]))].slice(
    -RETIRING_MAX,
  );

/** Of what a restarted runtime finds, the newest serving instance is kept; everything else goes. */
export function foundOf(
  found: readonly InstanceRecord[],
  lastServed: Live | null,
): Pick<AgentAppContext, 'active' | 'candidate' | 'lastServed' | 'retiring'> {
  const [kept] = found
    .filter(({ role, process }) => role === 'active' && process !== null)
    .toSorted((a, b) => b.generation - a.generation || b.createdAtMs - a.createdAtMs);
  const active = kept === undefined ? null : live(kept);
  const retiring = found.filter((one) => one !== kept).map(({ instance }) => instance);
  return {
    active,
    candidate: null,
    lastServed: active ?? lastServed,
    retiring: retiring.slice(-RETIRING_MAX),
  };
}

/** The fact is about this instance. */
export const isOf = (one: Live | null, event: AgentAppEvent): boolean =>
  'instance' in event && one?.instance === event.instance;

/** The serving instance has ended. */
export const forgetActive = (
  { failures, restarts }: Pick<AgentAppContext, 'failures' | 'restarts'>,
  { reason, jitter }: Ending,
) => ({
  active: null,
  failures: failures + 1,
  waitMs: null,
  hadServed: true,
  restarts: restarts + 1,
  jitter,
  reason,
});

/** The candidate has ended, or was never started. */
export const failCandidate = (
  context: Pick<AgentAppContext, 'desired' | 'lastServed' | 'failures'>,
  { reason, jitter }: Ending,
) => ({
  candidate: null,
  failures: context.failures + 1,
  waitMs: null,
  hadServed: false,
  failedGeneration: goalOf(context)?.generation ?? 0,
  jitter,
  reason,
});

function stateOf(context: AgentAppContext): SlotState {
  const { phase, desired, active } = context;
  if (phase === 'stopped' || phase === 'draining') return phase;
  if (hasFailed(context)) return 'failed';
  if (phase !== 'serving') return phase;
  const isDesired = desired !== null && active !== null && isSameRevision(active, desired);
  return isDesired ? 'serving' : 'pending';
}

/** What the agent says of the slot now. */
export const reportOf = (context: AgentAppContext): UnsentReport => ({
  ...context.slot,
  generation: context.generation,
  state: stateOf(context),
  reason: context.reason,
  restarts: context.restarts,
});

/** Two contexts with the same key have nothing new to say. */
export function reportKeyOf(context: AgentAppContext): string {
  const { generation, state, restarts, reason } = reportOf(context);
  return `${generation} ${state} ${restarts} ${reason?.code ?? ''} ${reason?.message ?? ''}`;
}
