/** SHA-256 of files by the worker pool, against `openssl dgst` and `sha256sum`. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createWorkerPool } from '../../runtime/adapters/worker-pool.piscina.ts';
import { cpuSecondsOf, missing, programOnPath, secondsOf } from './harness.ts';
import type { BenchPlan, Measure, Missing } from './harness.ts';

const FILE_MIB = 1024;
const run = promisify(execFile);

export async function bench(): Promise<BenchPlan> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-hash-'));
  const files = [join(folder, 'one'), join(folder, 'two')];
  for (const file of files) await fill(file);
  const [one = ''] = files;
  const pool = createWorkerPool();

  const ours = (path: string): Promise<unknown> => pool.hashFile(path);
  const rate = async (mib: number, work: () => Promise<unknown>): Promise<number> =>
    mib / (await secondsOf(work));
  const peer = (program: string, args: string[], paths: string[]): Measure | Missing =>
    isHere(program)
      ? () =>
          rate(FILE_MIB * paths.length, () =>
            Promise.all(paths.map((path) => run(program, [...args, path]))),
          )
      : missing(`${program} is not installed`);
  const peers = (paths: string[]): Record<string, Measure | Missing> => ({
    'openssl dgst': peer('openssl', ['dgst', '-sha256'], paths),
    sha256sum: peer('sha256sum', [], paths),
  });

  return {
    rows: [
      {
        metric: 'SHA-256 of one file of 1 GiB',
        unit: 'MiB/s',
        better: 'more',
        ours: () => rate(FILE_MIB, () => ours(one)),
        peers: peers([one]),
      },
      {
        metric: 'SHA-256 of one file of 1 GiB, per CPU second',
        unit: 'MiB/s',
        better: 'more',
        ours: () => perCpuSecond(false, () => ours(one)),
        peers: isHere('openssl')
          ? {
              'openssl dgst': () =>
                perCpuSecond(true, () => run('openssl', ['dgst', '-sha256', one])),
            }
          : { 'openssl dgst': missing('openssl is not installed') },
      },
      {
        metric: 'SHA-256 of two files of 1 GiB at once',
        unit: 'MiB/s',
        better: 'more',
        ours: () => rate(2 * FILE_MIB, () => Promise.all(files.map(ours))),
        peers: {
          ...peers(files),
          'ours, one after the other': () =>
            rate(2 * FILE_MIB, async () => {
              for (const file of files) await ours(file);
            }),
        },
      },
    ],
    dispose: async () => {
      await pool.close();
      await rm(folder, { recursive: true });
    },
  };
}

const isHere = (program: string): boolean => programOnPath(program) !== undefined;

/** MiB of one file for each second of CPU that `work` costs here, or in the children it starts. */
async function perCpuSecond(inChildren: boolean, work: () => Promise<unknown>): Promise<number> {
  const used = (): number => {
    const own = cpuSecondsOf(process.pid);
    return inChildren ? cpuSecondsOf(process.pid, true) - own : own;
  };
  const from = used();
  await work();
  return FILE_MIB / (used() - from);
}

async function fill(path: string): Promise<void> {
  const block = randomBytes(1024 * 1024);
  const file = await open(path, 'w');
  for (let written = 0; written < FILE_MIB; written++) await file.write(block);
  await file.close();
}
