import type { EventObject, Snapshot } from 'xstate';
import type { AnyChildSpec, TemplateChild } from './child-spec.ts';
import type { ChangeResult, ChangedChild, ChangedFlags } from './change.ts';
import type { AskOptions } from './delivery/asks.ts';
import type { DeadLettersView } from './delivery/dead-letters.ts';
import type { TreeNode } from './describe.ts';
import type {
  ChildCounts,
  ChildInfo,
  DeleteChildResult,
  RestartChildResult,
  StartChildResult,
  TerminateChildResult,
} from './operations.ts';
import type { DurableReceipt } from './durable/acknowledgements.ts';
import type { SendDurably } from './durable/send-durably.ts';
import type { InspectOptions, TreeInspection } from './inspection/inspection.types.ts';
import type { DownEvent, WatchEvent } from './reports/names.ts';
import type { SupervisorReport } from './reports/reports.ts';
import type { ExitReason } from './restart/exit-reason.ts';

/** One supervisor of a tree, by the path it was asked for; it follows restarts. */
export interface SupervisorHandle {
  readonly path: string;
  startChild(spec: AnyChildSpec | TemplateChild): Promise<StartChildResult>;
  terminateChild(id: string): Promise<TerminateChildResult>;
  restartChild(id: string): Promise<RestartChildResult>;
  deleteChild(id: string): Promise<DeleteChildResult>;
  changeFlags(flags: ChangedFlags): Promise<ChangeResult>;
  changeChild(id: string, fields: ChangedChild): Promise<ChangeResult>;
  whichChildren(): ChildInfo[];
  countChildren(): ChildCounts;
}

/** A supervision tree, seen from outside: every child is named by its path. */
export interface Tree {
  /** The root's id. */
  readonly path: string;
  /** Resolves when every static child is ready; rejects with the coded cause. Call it once or more. */
  start(): Promise<void>;
  /** Stops children in reverse order, each within its time; resolves when all is gone. */
  stop(): Promise<void>;
  /** Resolves when the root has ended: stopped, failed to start, or given up. Never rejects. */
  readonly ended: Promise<ExitReason>;
  /**
   * False when the event became a dead letter or was dropped; a path that names nobody is no error.
   * Throws `MESH_ERR_SUPERVISOR_EVENT_INVALID`.
   */
  send(path: string, event: EventObject): boolean;
  /**
   * Sends the event with an address in `replyTo`, and resolves with the event that is sent there: by
   * the action `reply`, or by `system.get(replyTo)`. Rejects with `MESH_ERR_SUPERVISOR_ASK_UNREACHABLE`
   * when no actor gets it, `…_ASK_UNANSWERED` when that actor ends first, `…_ASK_TIMED_OUT`,
   * `…_ASK_INVALID` or `…_EVENT_INVALID`.
   */
  ask(path: string, event: EventObject, options?: AskOptions): Promise<EventObject>;
  /**
   * Sends an event to a child with `resume: 'snapshot'`, and resolves when its effect on that child
   * is on disk. With an id it is applied once, however often it is sent, also over restarts of the
   * program, as long as the id is among the newest 4096 of the child; `isDuplicate` tells. Rejects
   * with `MESH_ERR_JOURNAL_EVENT_REFUSED` (not applied), `MESH_ERR_JOURNAL_EVENT_TIMED_OUT` (unknown:
   * send it again), `MESH_ERR_JOURNAL_UNAVAILABLE` (not applied), or with what the child crashed of.
   */
  sendDurably(path: string, event: EventObject, options?: SendDurably): Promise<DurableReceipt>;
  /** The present snapshot of whoever has this path; of a supervisor, a small one. */
  snapshotOf(path: string): Snapshot<unknown> | undefined;
  supervisor(path: string): SupervisorHandle | undefined;
  startChild(supervisorPath: string, spec: AnyChildSpec | TemplateChild): Promise<StartChildResult>;
  terminateChild(supervisorPath: string, id: string): Promise<TerminateChildResult>;
  restartChild(supervisorPath: string, id: string): Promise<RestartChildResult>;
  deleteChild(supervisorPath: string, id: string): Promise<DeleteChildResult>;
  /** Changes flags of a running supervisor. Rejects with `MESH_ERR_SUPERVISOR_SPEC_INVALID`. */
  changeFlags(supervisorPath: string, flags: ChangedFlags): Promise<ChangeResult>;
  /** Changes the spec of a child that stays as it is. Rejects with `MESH_ERR_SUPERVISOR_SPEC_INVALID`. */
  changeChild(supervisorPath: string, id: string, fields: ChangedChild): Promise<ChangeResult>;
  /** In start order; empty when there is no such supervisor. */
  whichChildren(supervisorPath: string): ChildInfo[];
  countChildren(supervisorPath: string): ChildCounts;
  /** Tells when the path goes and comes back; the listener is not told how it is now. */
  watch(path: string, listener: (event: WatchEvent) => void): () => void;
  /**
   * Tells once that the incarnation which has this path now is gone, and why; `noproc` if there is
   * none (OTP `monitor`). Returns how to give up, after which nothing is told.
   */
  monitor(path: string, listener: (event: DownEvent) => void): () => void;
  onReport(listener: (report: SupervisorReport) => void): () => void;
  /**
   * Tells the observer what is there, then each start, stop, event, transition, timer and lost letter,
   * until the function that it returns is called. The observer runs in a turn of its own; if it is too
   * slow, it is told how much it missed; if it throws, it is removed and that is reported, once. Costs
   * one comparison while nobody looks.
   */
  inspect(observer: (seen: TreeInspection) => void, options?: InspectOptions): () => void;
  readonly deadLetters: DeadLettersView;
  describe(): TreeNode;
}
