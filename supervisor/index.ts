/** OTP supervision for any XState actor. */
export type { Backoff } from './restart/backoff.ts';
export type { ChangeResult, ChangedChild, ChangedFlags } from './change.ts';
export { childSpec } from './child-spec.ts';
export type {
  AnyChildSpec,
  AutoShutdown,
  BoundedMailbox,
  ChildSpec,
  ChildSpecFor,
  InputScope,
  MailboxOnRestart,
  Overflow,
  Placement,
  RestartType,
  Shutdown,
  Strategy,
  SupervisorSpec,
  TemplateChild,
  TypedChildSpec,
} from './child-spec.ts';
export type { ChildStatus } from './child.ts';
export type { Asked, AskOptions } from './delivery/asks.ts';
export type { MailboxInfo } from './delivery/mailbox.ts';
export { reply } from './reply.ts';
export type { DeadLetter, DeadLetterReason, DeadLettersView } from './delivery/dead-letters.ts';
export { stateText } from './describe.ts';
export { dynamicPath } from './dynamic-path.ts';
export type { DynamicPath } from './dynamic-path.ts';
export type { TreeNode } from './describe.ts';
export type { DurableReceipt } from './durable/acknowledgements.ts';
export { JOURNAL_ERRORS, journalError } from './durable/errors.ts';
export { EVENT_IDS_MAX, QUARANTINED_MAX } from './durable/journal.ts';
export type { Journal, JournalEntry, JournalWrite, QuarantinedRecord } from './durable/journal.ts';
export type { Durability, Past, ResumeOptions } from './durable/resume-options.ts';
export type { SendDurably } from './durable/send-durably.ts';
export { SUPERVISOR_ERRORS } from './errors.ts';
export type { ExitReason, ExitReasonJson } from './restart/exit-reason.ts';
export type * from './inspection/inspection.types.ts';
export { shownByThread } from './placement/mirror.ts';
export { threadLogic } from './placement/thread-logic.ts';
export type {
  MirrorOf,
  ThreadLimits,
  ThreadLogic,
  ThreadLogicOptions,
} from './placement/thread-logic.ts';
export type { DownEvent, WatchEvent } from './reports/names.ts';
export type {
  ChildCounts,
  ChildInfo,
  ChildStarted,
  DeleteChildResult,
  Refused,
  RestartChildResult,
  StartChildResult,
  TerminateChildResult,
} from './operations.ts';
export type {
  AsyncAttribution,
  Defer,
  Logger,
  LogLine,
  ThreadFact,
  ThreadLink,
  ThreadOrder,
  Threads,
  ThreadSnapshot,
  TreeOptions,
} from './ports.ts';
export type { SupervisorReport, SupervisorReportType } from './reports/reports.ts';
export type { SupervisorSnapshot, SupervisorStatus } from './supervisor-snapshot.ts';
export { supervisorMachine } from './supervisor.machine.ts';
export type { SupervisorEvent } from './supervisor.machine.ts';
export { createTree } from './tree.ts';
export type { SupervisorHandle, Tree } from './tree.types.ts';
export type {
  CheckedSpec,
  EventAt,
  PathOf,
  SnapshotAt,
  SupervisorPathOf,
  TreeOf,
  TypedTree,
  WorkerPathOf,
} from './typed-tree.types.ts';
