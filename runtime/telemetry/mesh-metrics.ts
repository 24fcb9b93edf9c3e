import { certificateRows } from '../certificates/certificate-view.ts';
import type { MeshParts } from '../compose.ts';
import { instanceRows } from '../mesh-view.ts';
import { VERSION } from '../version.ts';
import { createMetrics } from './metrics.ts';
import type { MeshMetrics } from './metrics.ts';
import type { PeerCounts } from './peer-metrics.ts';

/** The metrics of a composed mesh: told of its reports, and reading the rest when they are asked. */
export function meshMetrics(
  parts: MeshParts,
  peer?: () => Promise<PeerCounts | undefined>,
): MeshMetrics {
  const { tree, fabric, clock, edge } = parts;
  const metrics = createMetrics({
    version: VERSION,
    startedAtMs: clock.now(),
    describe: () => tree.describe(),
    instances: () => instanceRows(parts),
    deployments: async () => {
      const apps = await fabric.apps();
      return (await Promise.all(apps.map((app) => fabric.history(app)))).flat();
    },
    edge: () => edge()?.counters().apps,
    ...(peer && { peer }),
    ...(parts.ports.certificates && { certificates: () => certificateRows(parts) }),
  });
  tree.onReport(metrics.report);
  return metrics;
}
