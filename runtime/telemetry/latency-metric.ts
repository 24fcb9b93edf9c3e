import type { AppCountersSnapshot } from '../edge/counters.ts';

interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** What prom-client's registry asks of a metric. */
export interface LatencyMetric {
  readonly name: string;
  get(): Promise<{
    readonly name: string;
    readonly help: string;
    readonly type: string;
    readonly aggregator: string;
    readonly values: readonly Sample[];
  }>;
}

/** A histogram in seconds from counts that are kept elsewhere, in milliseconds. */
export function latencyMetric(
  name: string,
  read: () => Readonly<Record<string, AppCountersSnapshot>>,
): LatencyMetric {
  return {
    name,
    get: () =>
      Promise.resolve({
        name,
        help: 'From the end of a request head to the end of its response, by app.',
        type: 'histogram',
        aggregator: 'sum',
        values: Object.entries(read()).flatMap(([app, { latency }]) =>
          samplesOf(name, app, latency),
        ),
      }),
  };
}

function samplesOf(
  name: string,
  app: string,
  { boundsMs, counts, sumMs }: AppCountersSnapshot['latency'],
): Sample[] {
  let total = 0;
  const buckets = counts.map((count, index): Sample => {
    total += count;
    const bound = boundsMs[index];
    const le = bound === undefined ? '+Inf' : bound / 1_000;
    return { metricName: `${name}_bucket`, labels: { le, app }, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: { app }, value: sumMs / 1_000 },
    { metricName: `${name}_count`, labels: { app }, value: total },
  ];
}
