/** Memory of a mesh that has nothing to do, its worker threads included. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { BenchPlan } from './harness.ts';
import { startIdleMesh } from './idle-mesh.ts';

/** Long enough for what a start leaves behind to be collected. */
const SETTLE_MS = 2_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** VmRSS of /proc/PID/status in MB (10^6 bytes). */
function rssOf(pid: number): number {
  const [, kibibytes = ''] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kibibytes) * 1024) / 1e6;
}

async function rssOfMesh(): Promise<number> {
  await using idle = await startIdleMesh();
  await pause(SETTLE_MS);
  return rssOf(idle.pid);
}

async function rssOfNode(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await pause(SETTLE_MS);
  const rss = rssOf(child.pid ?? 0);
  child.kill('SIGKILL');
  await ended;
  return rss;
}

export function bench(): BenchPlan {
  return {
    rows: [
      {
        metric: 'RSS of an idle mesh with 3 agents',
        unit: 'MB',
        better: 'less',
        ours: rssOfMesh,
        peers: { 'one Node process': rssOfNode },
      },
    ],
  };
}
