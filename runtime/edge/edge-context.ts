import type { Clock } from '../../machines/kernel/clock.ts';
import type { EdgeErrorCode } from './errors.ts';
import type { EdgeLimits } from './limits.ts';
import type { RoutingTable } from './routing-table.ts';
import type { Stamp } from './stamp.ts';
import type { UpstreamTls } from './upstream-tls.ts';
import type { WriteBatch } from './write-batch.ts';

/** What all connections of one edge share. */
export interface EdgeContext {
  readonly limits: EdgeLimits;
  readonly clock: Clock;
  readonly routes: RoutingTable;
  readonly stamp: Stamp;
  /** Null: no instance can be met that speaks TLS. */
  readonly tls: UpstreamTls | null;
  readonly batch: WriteBatch;
  /** Every connection to an instance reads into this one: a read is used up within its callback. */
  readonly readBuffer: Buffer;
  /** Answers of the edge itself, by code. */
  readonly refusals: Map<EdgeErrorCode, number>;
  /** Monotonic milliseconds, as of the last request or tick: exact enough for deadlines. */
  nowMs: number;
  /** Set once the edge stops: no connection is kept alive any more. */
  isClosing: boolean;
}

export function countRefusal(context: EdgeContext, code: EdgeErrorCode): void {
  context.refusals.set(code, (context.refusals.get(code) ?? 0) + 1);
}
