import type { ChildSpec } from '../child-spec.ts';

/** When a durable actor's snapshot is committed, which is what may be lost when the program dies. */
export type Durability =
  /**
   * Nothing that was acknowledged is lost. Effects (actions, mail to others, emitted events, the
   * start of its children) are let out after the commit of the transition that asked for them.
   */
  | 'every-transition'
  /**
   * What happened in the last `everyMs` milliseconds, at most `everyEvents` events, may be lost,
   * although its effects were let out at once. What `sendDurably` acknowledged is not.
   */
  | { readonly everyMs: number; readonly everyEvents: number };

/** What is known of an actor that runs no more. */
export interface Past {
  /** As it was written last; migrated where it was of an older version. */
  readonly snapshot: unknown;
  /** What a fresh start would be given. */
  readonly input: unknown;
  /** Milliseconds left, 0 when overdue, of a deadline whose event's type begins so. */
  leftMs(this: void, type: string): number | undefined;
}

/** How a child continues from the journal. */
export interface ResumeOptions {
  readonly from: 'snapshot';
  /** Default `every-transition`. */
  readonly durability?: Durability;
  /** Version of the machine, such as `2.1`; default its `version`. A newer record is set aside. */
  readonly version?: string;
  /**
   * Brings a persisted snapshot of an older version to the present one. Without it, an older one is
   * taken as it is. What it throws sets the record aside.
   */
  migrate?(this: void, snapshot: unknown, version: string | undefined): unknown;
  /**
   * Makes the input of a new beginning, for an actor whose surroundings end with the program: it
   * starts in its initial state with what it knew, and its deadlines are its own to set again.
   * Without it, the actor goes on in the state where it was. What it throws sets the record aside.
   */
  beginAnew?(this: void, past: Past): unknown;
  /** Crashes in a row right after continuing, before the snapshot is given up. Default 3. */
  readonly failuresMax?: number;
}

/** Crashes in a row, right after continuing from a snapshot, that give it up. */
export const RESUME_FAILURES_MAX_DEFAULT = 3;
/** An incarnation that lived so long did not crash over its snapshot. */
export const RESUME_SETTLED_MS = 10_000;

const SNAPSHOT: ResumeOptions = { from: 'snapshot' };

/** The options of a durable child, undefined for one that starts fresh. */
export function resumeOf(spec: ChildSpec): ResumeOptions | undefined {
  const { resume } = spec;
  if (resume === undefined || resume === 'fresh') return undefined;
  return resume === 'snapshot' ? SNAPSHOT : resume;
}
