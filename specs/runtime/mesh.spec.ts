import { describe, expect, it } from 'vitest';
import type { PlannerEvent } from '../../machines/workload/planner.machine.ts';
import type { ProcessSpec } from '../../actors/workload/ports/process.ts';
import { systemClock } from '../../runtime/adapters/clock.system.ts';
import { createProcesses } from '../../runtime/adapters/processes.execa.ts';
import { systemRandom } from '../../runtime/adapters/random.system.ts';
import { homeIdOf } from '../../runtime/home.ts';
import { startMesh } from '../../runtime/mesh.ts';
import type { Mesh } from '../../runtime/mesh.ts';
import { processesOf } from '../support/mesh/processes-of.ts';
import { SAMPLE_SERVICE, until } from '../support/processes-worlds.ts';
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
  it('ends processes of its folder that nobody recorded, with their groups', async () => {
    using dir = scratch();
    const processes = createProcesses({ clock: systemClock });
    const spec: ProcessSpec = {
      instance: 'stray',
      command: process.execPath,
      args: [SAMPLE_SERVICE],
      env: { SAMPLE_MODE: 'grandchild', PORT: '0', MESH_HOME_ID: homeIdOf(dir.path) },
      cwd: dir.path,
      token: systemRandom.hex(16),
      logPath: dir.file('stray.log'),
      onRuntimeDeath: 'keep',
    };
    await processes.spawn(spec);
    await until('a grandchild', () => processesOf(homeIdOf(dir.path)).length === 2);
    const mesh = await startMesh({ home: dir.path, port: 0, nodes: 1 });
    try {
      expect(processesOf(homeIdOf(dir.path))).toEqual([]);
    } finally {
      await mesh.stop();
    }
  });

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
