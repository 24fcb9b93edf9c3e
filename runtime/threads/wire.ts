/** What passes between a tree and the thread of one of its actors; all of it is cloned. */
import type { EventObject } from 'xstate';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { ErrorJson } from '../../machines/kernel/coded-error.ts';
import type { ExitReason, LogLine, ThreadOrder, ThreadSnapshot } from '../../supervisor/index.ts';

/** Given to the thread when it is made. */
export interface ThreadData {
  readonly order: ThreadOrder;
  /** Two counters that the thread writes and that outlive it, see `BEATS` and `BEGUN`. */
  readonly counters: Int32Array;
  /** Time between two beats, in milliseconds; 0 for none. */
  readonly beatMs: number;
}

/** Place of the counter that goes up while the thread comes back to its event loop. */
export const BEATS = 0;
/** Place of the counter of letters that the actor has begun to handle. */
export const BEGUN = 1;

export type ToThread =
  | { readonly type: 'mail'; readonly events: readonly EventObject[] }
  | { readonly type: 'stop' };

/** A `ThreadFact` with its errors in a form that crosses. */
export type WireFact =
  | { readonly type: 'thread.seen'; readonly snapshot: ThreadSnapshot }
  | {
      readonly type: 'thread.ended';
      readonly reason: WireReason;
      readonly snapshot?: ThreadSnapshot | undefined;
    }
  | { readonly type: 'mail.sent'; readonly path: string; readonly event: EventObject }
  | { readonly type: 'mail.lost'; readonly path: string; readonly event: EventObject }
  | { readonly type: 'event.emitted'; readonly event: EventObject }
  | { readonly type: 'error.stray'; readonly path: string; readonly error: WireError }
  | { readonly type: 'line.logged'; readonly line: LogLine };

type WireReason =
  | { readonly type: 'normal'; readonly output?: unknown }
  | { readonly type: 'shutdown' }
  | { readonly type: 'killed' }
  | { readonly type: 'error'; readonly cause: WireError };

/** A coded error as JSON; of any other the parts that people look at; else text. */
type WireError =
  | { readonly coded: ErrorJson; readonly stack: string | undefined }
  | { readonly name: string; readonly message: string; readonly stack: string | undefined }
  | { readonly text: string };

export function packError(thrown: unknown): WireError {
  if (thrown instanceof CodedError) return { coded: thrown.toJSON(), stack: thrown.stack };
  if (thrown instanceof Error)
    return { name: thrown.name, message: thrown.message, stack: thrown.stack };
  return { text: String(thrown) };
}

export function unpackError(wire: WireError): unknown {
  if ('text' in wire) return wire.text;
  const error = 'coded' in wire ? CodedError.fromJSON(wire.coded) : new Error(wire.message);
  if ('name' in wire) error.name = wire.name;
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}

export function packReason(reason: ExitReason): WireReason {
  if (reason.type === 'error') return { type: 'error', cause: packError(reason.cause) };
  return reason.type === 'normal'
    ? { type: 'normal', output: reason.output }
    : { type: reason.type };
}

export const unpackReason = (wire: WireReason): ExitReason =>
  wire.type === 'error' ? { type: 'error', cause: unpackError(wire.cause) } : wire;
