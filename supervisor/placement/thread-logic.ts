/**
 * Logic for `placement: 'thread'`, named by module and export: a function cannot cross to a thread,
 * so the thread loads the logic itself. What is here only says which; `thread-actor.ts` runs it.
 */
import type {
  ActorLogic,
  AnyActorScope,
  AnyActorLogic,
  EmittedFrom,
  EventFromLogic,
  EventObject,
  InputFrom,
  Snapshot,
  SnapshotFrom,
} from 'xstate';

import { supervisorError } from '../errors.ts';

/** Bounds of a thread's memory, in MiB; what is left out is Node's own. Beyond them the thread ends. */
export interface ThreadLimits {
  readonly maxOldGenerationSizeMb?: number;
  readonly maxYoungGenerationSizeMb?: number;
  readonly codeRangeSizeMb?: number;
  readonly stackSizeMb?: number;
}

/** Where the logic is, and what its thread may do. */
export interface ThreadLogicOptions {
  /** URL of the module, as in `new URL('./mixer.ts', import.meta.url)`. */
  readonly module: string | URL;
  /** Name under which the module exports the logic; default `default`. */
  readonly export?: string;
  /**
   * How long the thread may stay away from its event loop, in milliseconds, before it counts as
   * blocked and is ended with `MESH_ERR_SUPERVISOR_THREAD_BLOCKED`. Default 5000; `Infinity`: never.
   */
  readonly heartbeatTimeoutMs?: number;
  readonly resourceLimits?: ThreadLimits;
}

/** The same, with its defaults. */
export interface ThreadPlace {
  readonly module: string;
  readonly export: string;
  readonly heartbeatTimeoutMs: number;
  readonly resourceLimits: ThreadLimits;
}

/** A thread that computes longer than this without a pause is taken for hung. */
export const HEARTBEAT_TIMEOUT_MS_DEFAULT = 5000;

/** Members of a machine's snapshot that would need the machine itself and so stay in the thread. */
type Unmirrored = 'can' | 'getMeta' | 'machine' | '_nodes' | 'children' | 'toJSON';

/** What is seen of a snapshot from outside its thread: a copy, with `matches` and `hasTag`. */
export type MirrorOf<Seen> = Seen extends { readonly value: unknown }
  ? Omit<Seen, Unmirrored>
  : Seen;

/** Events, input and snapshots of `Logic`, which another thread has. */
export interface ThreadLogic<Logic extends AnyActorLogic> extends ActorLogic<
  MirrorOf<SnapshotFrom<Logic>> & Snapshot<unknown>,
  EventFromLogic<Logic>,
  InputFrom<Logic>,
  AnyActorScope['system'],
  EmittedFrom<Logic>
> {
  readonly thread: ThreadPlace;
}

const unplaced = (place: ThreadPlace): Error =>
  supervisorError(
    'MESH_ERR_SUPERVISOR_THREAD_UNPLACED',
    `${place.export} of ${place.module} was started as a common actor.`,
    { details: { module: place.module, export: place.export } },
  );

/**
 * Names the logic of a child with `placement: 'thread'`. `Logic` is its type, for events and input:
 *
 * @example
 * import type { mixerMachine } from './mixer.ts';
 * const logic = threadLogic<typeof mixerMachine>({
 *   module: new URL('./mixer.ts', import.meta.url),
 *   export: 'mixerMachine',
 * });
 */
export function threadLogic<
  Logic extends AnyActorLogic = ActorLogic<Snapshot<unknown>, EventObject>,
>(options: ThreadLogicOptions): ThreadLogic<Logic> {
  const thread: ThreadPlace = {
    module: String(options.module),
    export: options.export ?? 'default',
    heartbeatTimeoutMs: options.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS_DEFAULT,
    resourceLimits: options.resourceLimits ?? {},
  };
  const refuse = (): never => {
    throw unplaced(thread);
  };
  return {
    thread,
    getInitialSnapshot: refuse,
    transition: refuse,
    getPersistedSnapshot: refuse,
  };
}

/** Whether the logic is only a name for one that a thread loads. */
export const isThreadLogic = (logic: unknown): logic is ThreadLogic<AnyActorLogic> =>
  typeof logic === 'object' && logic !== null && 'thread' in logic;
