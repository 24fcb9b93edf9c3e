/** Upper bounds of the latency buckets in milliseconds; a last bucket takes the rest. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 60_000,
];

export interface AppCountersSnapshot {
  /** Answered requests, also those that the edge answered itself. */
  readonly requests: number;
  /** Answered requests by the first digit of their status, `1xx` for switched protocols. */
  readonly byClass: Readonly<Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx', number>>;
  readonly inFlight: number;
  /** Requests that ended without a whole answer: the client left, or the body broke off. */
  readonly aborted: number;
  readonly retries: number;
  /** How often a target of the app was taken out for failing. */
  readonly ejections: number;
  /** Request payload, in bytes. */
  readonly bytesIn: number;
  /** Response payload, in bytes. */
  readonly bytesOut: number;
  /** From the end of the request head to the end of the response. */
  readonly latency: {
    readonly boundsMs: readonly number[];
    /** One more than bounds; not cumulative. */
    readonly counts: readonly number[];
    readonly sumMs: number;
  };
}

/** Plain numbers of one app, written on the request path. */
export class AppCounters {
  inFlight = 0;
  aborted = 0;
  retries = 0;
  ejections = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly #byClass = [0, 0, 0, 0, 0, 0];
  readonly #latency = new Float64Array(LATENCY_BOUNDS_MS.length + 1);
  #latencySumMs = 0;

  answered(status: number, latencyMs: number): void {
    const digit = (status / 100) | 0;
    this.#byClass[digit] = (this.#byClass[digit] ?? 0) + 1;
    this.#latencySumMs += latencyMs;
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS_MS.length && latencyMs > (LATENCY_BOUNDS_MS[bucket] as number))
      bucket++;
    this.#latency[bucket] = (this.#latency[bucket] as number) + 1;
  }

  snapshot(): AppCountersSnapshot {
    const of = (digit: number): number => this.#byClass[digit] ?? 0;
    const byClass = { '1xx': of(1), '2xx': of(2), '3xx': of(3), '4xx': of(4), '5xx': of(5) };
    return {
      requests: this.#byClass.reduce((sum, count) => sum + count, 0),
      byClass,
      inFlight: this.inFlight,
      aborted: this.aborted,
      retries: this.retries,
      ejections: this.ejections,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      latency: {
        boundsMs: LATENCY_BOUNDS_MS,
        counts: [...this.#latency],
        sumMs: this.#latencySumMs,
      },
    };
  }
}
