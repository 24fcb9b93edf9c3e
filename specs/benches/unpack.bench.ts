/** Seconds from a spore of a 200 MiB binary to the verified binary on disk. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createTrustStore } from '../../runtime/adapters/trust.fs.ts';
import { createWorkerPool } from '../../runtime/adapters/worker-pool.piscina.ts';
import { extractSpore, packSpore } from '../../runtime/spore/index.ts';
import { makeBenchBinary } from '../support/bench-binary.ts';
import { scratch } from '../support/scratch.ts';
import { CREATED_AT, SOURCE, keyOf } from '../support/spore-kit.ts';
import { missing, programOnPath, secondsOf } from './harness.ts';
import type { BenchPlan, Measure, Missing } from './harness.ts';

/** The bench `unpack`. */
export async function bench(): Promise<BenchPlan> {
  const folder = scratch();
  const pool = createWorkerPool();
  const key = keyOf(1);
  const binaryPath = folder.file('binary');
  makeBenchBinary(binaryPath);
  const outPath = folder.file('a.spore');
  const source = { manifest: SOURCE, binaryPath, key, outPath, createdAt: CREATED_AT };
  const { digest } = await packSpore(pool, source);
  const trust = createTrustStore(folder.file('trust.json'));
  await trust.add(key.publicKey, { name: 'bench' });

  const destDir = folder.file('out');
  const timed = (work: () => unknown): Promise<number> => {
    rmSync(destDir, { recursive: true, force: true });
    return secondsOf(work);
  };

  return {
    rows: [
      {
        metric: '200 MiB verified and extracted',
        unit: 's',
        better: 'less',
        ours: () =>
          timed(() => extractSpore(pool, outPath, { trust, expectedDigest: digest, destDir })),
        peers: { 'unzip + sha256sum': unzipAndHash(outPath, destDir, timed) },
      },
    ],
    dispose: async () => {
      await pool.close();
      folder[Symbol.dispose]();
    },
  };
}

function unzipAndHash(
  spore: string,
  destDir: string,
  timed: (work: () => unknown) => Promise<number>,
): Measure | Missing {
  const unzip = programOnPath('unzip');
  const sha256sum = programOnPath('sha256sum');
  if (unzip === undefined || sha256sum === undefined) return missing('unzip is not installed');
  return () =>
    timed(() => {
      execFileSync(unzip, ['-qq', spore, '-d', destDir]);
      execFileSync(sha256sum, [`${destDir}/binary`], { stdio: 'pipe' });
    });
}
