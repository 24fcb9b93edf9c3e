import { describe, expect, it } from 'vitest';
import { composeMesh } from '../../../runtime/compose.ts';
import { meshMetrics } from '../../../runtime/telemetry/mesh-metrics.ts';
import { scratch } from '../../support/scratch.ts';

describe('meshMetrics', () => {
  it('reads the tree of a real mesh, with a machine for every actor', async () => {
    using dir = scratch();
    const parts = await composeMesh({ home: dir.path, port: 0, nodes: 2 });
    const metrics = meshMetrics(parts);
    await parts.tree.start();
    const text = await metrics.text();
    await parts.tree.stop();
    await parts.pool.close();
    await parts.fabric.close();
    const actors = text.split('\n').filter((line) => line.startsWith('mesh_actors{'));
    expect(actors.toSorted()).toEqual([
      'mesh_actors{machine="agent",status="running"} 2',
      'mesh_actors{machine="edge",status="running"} 1',
      'mesh_actors{machine="planner",status="running"} 1',
      'mesh_actors{machine="supervisor",status="running"} 9',
      'mesh_actors{machine="worker-pool",status="running"} 1',
    ]);
  });
});
