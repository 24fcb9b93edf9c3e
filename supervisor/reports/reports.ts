/**
 * What a supervisor tells the log, the metrics and the visualizer: one typed report for each thing
 * that happens to a child, as OTP's SASL reports. Plain JSON.
 */
import type { ErrorJson } from '../../machines/kernel/coded-error.ts';
import type { ExitReasonJson } from '../restart/exit-reason.ts';
import type { Logger } from '../ports.ts';

interface ChildReport {
  /** Wall-clock time in milliseconds since the epoch. */
  readonly atMs: number;
  /** Path of the child, or of the supervisor for reports about itself. */
  readonly path: string;
  readonly incarnation: number;
}

/** One thing that happened to a child or to a supervisor. */
export type SupervisorReport =
  /** A child is ready that its supervisor's start, or an operation, has started. */
  | (ChildReport & { readonly type: 'start' })
  /** A child is ready that was restarted; `restarts` counts them since it was added. */
  | (ChildReport & { readonly type: 'restart'; readonly restarts: number })
  /** A child could not be started. */
  | (ChildReport & { readonly type: 'start_error'; readonly cause: ErrorJson })
  /** A child ended by itself with an error. */
  | (ChildReport & {
      readonly type: 'crash';
      readonly reason: ExitReasonJson;
      readonly willRestart: boolean;
      /** Where it threw, if it threw an Error. */
      readonly stack?: string;
    })
  /** A child ended by itself without an error. */
  | (ChildReport & {
      readonly type: 'exit';
      readonly reason: ExitReasonJson;
      readonly willRestart: boolean;
    })
  /** A restart waits for its back-off. */
  | (ChildReport & { readonly type: 'backoff'; readonly delayMs: number; readonly attempt: number })
  /** A child was stopped as it was asked to. */
  | (ChildReport & { readonly type: 'shutdown'; readonly reason: ExitReasonJson })
  /** A child was asked to stop and ended in another way: killed at its deadline, or with an error. */
  | (ChildReport & { readonly type: 'shutdown_error'; readonly reason: ExitReasonJson })
  /** More restarts than `intensity` in `periodMs`: this supervisor ends. */
  | (ChildReport & {
      readonly type: 'intensity';
      readonly intensity: number;
      readonly periodMs: number;
      readonly child: string;
    })
  /** This supervisor hands its end to the next one up; at the root there is none. */
  | (ChildReport & {
      readonly type: 'escalation';
      readonly to: string | undefined;
      readonly cause: ErrorJson;
    })
  /** A significant child ended, so this supervisor ends too. */
  | (ChildReport & { readonly type: 'auto_shutdown'; readonly child: string })
  /** A snapshot in the journal was not continued from, and is kept aside; the cause says why. */
  | (ChildReport & { readonly type: 'quarantine'; readonly cause: ErrorJson })
  /** An error whose owner was gone already, or that arose while cleaning up. */
  | (ChildReport & { readonly type: 'stray_error'; readonly cause: ErrorJson });

/** The kinds of reports. */
export type SupervisorReportType = SupervisorReport['type'];

/** Characters of a stack that a report carries. */
export const STACK_CHARS_MAX = 4096;

/** The stack of what was thrown, cut to its bound. */
export const stackOf = (cause: unknown): { readonly stack?: string } =>
  cause instanceof Error && cause.stack !== undefined
    ? { stack: cause.stack.slice(0, STACK_CHARS_MAX) }
    : {};

/** Hands events to listeners; one that throws disturbs neither the others nor the supervisor. */
export class Listeners<Event> {
  readonly #listeners = new Set<(event: Event) => void>();
  readonly #logger: Logger | undefined;

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  /** Nobody listens: the event need not be built. */
  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  add(listener: (event: Event) => void): () => void {
    // A wrapper of its own, so that a function added twice is removed once per removal.
    const own = (event: Event): void => listener(event);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  emit(event: Event): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#logger?.({ level: 'error', message: 'A listener threw.', details: error });
      }
    }
  }
}
