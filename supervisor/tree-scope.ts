import type { AnyActorRef, EventObject } from 'xstate';
import type { Clock } from '../machines/kernel/clock.ts';
import type { Random } from '../machines/kernel/random.ts';
import type { Past } from './child.ts';
import type { SupervisorSpec } from './child-spec.ts';
import type { DeadLetterReason, DeadLetters } from './delivery/dead-letters.ts';
import type { Inspection } from './inspection/inspection.ts';
import type { Asks } from './delivery/asks.ts';
import type { Watchers } from './reports/names.ts';
import type { Ledger } from './durable/ledger.ts';
import type { Logger, Threads } from './ports.ts';
import type { Listeners, SupervisorReport } from './reports/reports.ts';
import type { RunQueue } from './delivery/run-queue.ts';
import type { Supervisor, SupervisorOwner } from './supervisor.ts';
import type { ActorHost } from './xstate-adapter.ts';

/** What all supervisors of one tree share. */
export interface TreeScope {
  readonly clock: Clock;
  readonly random: Random;
  readonly queue: RunQueue;
  readonly host: ActorHost;
  readonly reports: Listeners<SupervisorReport>;
  readonly watchers: Watchers;
  readonly inspection: Inspection;
  readonly deadLetters: DeadLetters;
  readonly asks: Asks;
  readonly ledger: Ledger | undefined;
  readonly threads: Threads | undefined;
  readonly logger: Logger | undefined;
  /** Makes a supervisor in this tree. */
  nest(
    spec: SupervisorSpec,
    path: string,
    incarnation: number,
    owner: SupervisorOwner,
    past: Past,
  ): Supervisor;
  /** Sends to whoever has the path; `source` is the sender, if it is an actor of this tree. */
  mail(path: string, event: EventObject, source: AnyActorRef | undefined): boolean;
  /** Counts mail that reached nobody. */
  letter(path: string, event: EventObject, reason: DeadLetterReason): void;
  /** Reports an error that ends nobody. */
  stray(path: string, incarnation: number, error: unknown): void;
}
