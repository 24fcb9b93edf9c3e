/** What a person waits for when asking a running mesh something: whole processes, start to end. */
import { spawnSync } from 'node:child_process';
import { mesh } from '../support/mesh/command.ts';
import { median } from './harness.ts';
import type { BenchPlan } from './harness.ts';
import { startIdleMesh } from './idle-mesh.ts';

/** Commands of one round; their median is the round's figure. */
const COMMANDS = 10;

async function msOf(work: () => unknown): Promise<number> {
  const figures: number[] = [];
  for (let count = 0; count < COMMANDS; count++) {
    const startedAt = performance.now();
    await work();
    figures.push(performance.now() - startedAt);
  }
  return median(figures);
}

const nothing = (): unknown => spawnSync(process.execPath, ['-e', '0']);

export async function bench(): Promise<BenchPlan> {
  const idle = await startIdleMesh();
  const row = (...args: readonly string[]) => ({
    metric: `mesh ${args.join(' ')}, whole process`,
    unit: 'ms',
    better: 'less' as const,
    ours: () =>
      msOf(async () => {
        const { exitCode, stderr } = await mesh(args, idle.options);
        if (exitCode !== 0) throw new Error(stderr);
      }),
    peers: { 'node -e 0': () => msOf(nothing) },
  });
  return {
    rows: [row('ps'), row('ps', '--json')],
    dispose: async () => {
      await idle[Symbol.asyncDispose]();
    },
  };
}
