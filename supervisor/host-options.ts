/** What the host of a tree's actors works with, and whom it tells. */
import type { AnyActorRef, EventObject } from 'xstate';
import type { Clock } from '../machines/kernel/clock.ts';
import type { RunQueue } from './delivery/run-queue.ts';
import type { Inspection } from './inspection/inspection.ts';
import type { AsyncAttribution, Logger } from './ports.ts';

/** What the host tells its tree. */
export interface HostListener {
  /** Mail that no actor will handle. */
  undeliverable(path: string, event: EventObject, reason: 'ended' | 'supervisor'): void;
  /** Mail to a path. */
  mail(path: string, event: EventObject, source: AnyActorRef | undefined): void;
  /** An error that has no living owner, or arose while cleaning up. */
  stray(path: string, incarnation: number, error: unknown): void;
}

/** What is told of actors while somebody looks. */
export type HostInspection = Pick<
  Inspection,
  'started' | 'stopped' | 'delivered' | 'stepped' | 'changed' | 'timed'
>;

/** What a host works with. */
export interface HostOptions {
  readonly clock: Clock;
  readonly queue: RunQueue;
  readonly listener: HostListener;
  readonly logger: Logger | undefined;
  readonly attribution: AsyncAttribution | undefined;
  /** Machines take their steps from plans. */
  readonly hasPlans: boolean;
  /** Id of the tree's root, with which its paths begin. */
  readonly root: string;
}
