import { Gauge } from 'prom-client';
import type { Metric } from 'prom-client';
import type { CertificateView } from '../control/mesh-control.ts';

/** The edge among the apps: no app can be named so. */
const EDGE = '@edge';

/** The metrics of mesh certificates; an instance is in no label. */
export const certificateMetrics = (
  certificates: () => Promise<readonly CertificateView[]>,
): Metric[] => [
  new Gauge({
    name: 'mesh_certificates',
    help: 'Mesh certificates of instances and of the edge, by app and state.',
    labelNames: ['app', 'state'],
    registers: [],
    async collect() {
      this.reset();
      for (const { app, state } of await certificates()) this.inc({ app: app ?? EDGE, state });
    },
  }),
  new Gauge({
    name: 'mesh_certificate_expiry_timestamp_seconds',
    help: 'When the first certificate of an app ends, unless it is renewed.',
    labelNames: ['app'],
    registers: [],
    async collect() {
      this.reset();
      for (const [app, seconds] of firstEnds(await certificates())) this.set({ app }, seconds);
    },
  }),
];

function firstEnds(views: readonly CertificateView[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const { app, notAfter } of views) {
    if (notAfter === null) continue;
    const name = app ?? EDGE;
    first.set(name, Math.min(first.get(name) ?? Infinity, Date.parse(notAfter) / 1_000));
  }
  return first;
}
