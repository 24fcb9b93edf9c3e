import { describe, expect, it } from 'vitest';
import type { PlannerEvent } from '../../machines/workload/planner.machine.ts';
import { startMesh } from '../../runtime/mesh.ts';
import type { Mesh } from '../../runtime/mesh.ts';
import { scratch } from '../support/scratch.ts';

/** Resolves when the actor at `path` was restarted. */
const restartOf = (mesh: Mesh, path: string): Promise<void> =>
  new Promise((resolve) => {
    const stop = mesh.tree.onReport((report) => {
      if (report.type !== 'restart' || report.path !== path) return;
      stop();
      resolve();
    });
  });

const linesOf = async (mesh: Mesh, name: string): Promise<string[]> =>
  (await mesh.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`));

describe('startMesh', () => {
  it('gives metrics of its actors, of their restarts and of its edge', async () => {
    using dir = scratch();
    const mesh = await startMesh({ home: dir.path, port: 0, nodes: 1 });
    try {
      expect(await linesOf(mesh, 'mesh_build_info')).toHaveLength(1);
      expect(await linesOf(mesh, 'mesh_actors')).toContain(
        'mesh_actors{machine="agent",status="running"} 1',
      );
      const restarted = restartOf(mesh, 'mesh/planner');
      const failure: PlannerEvent = { type: 'sweep.failed', message: 'as told' };
      mesh.tree.send('mesh/planner', failure);
      await restarted;
      expect(await linesOf(mesh, 'mesh_actor_restarts_total')).toEqual([
        'mesh_actor_restarts_total{machine="planner"} 1',
      ]);
      await fetch(`${mesh.edgeUrl}/nobody/`);
      expect((await mesh.metrics()).split('\n')).toContain(
        '# TYPE mesh_edge_request_duration_seconds histogram',
      );
    } finally {
      await mesh.stop();
    }
  });
});
