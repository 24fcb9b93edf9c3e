/** Seconds to pack a 200 MiB binary. Every contender reads from and writes to the same folder. */
import { execFileSync } from 'node:child_process';
import { closeSync, createReadStream, createWriteStream, openSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { ZipArchive } from 'archiver';
import type { WorkerPool } from '../../actors/pool/ports.ts';
import { createWorkerPool } from '../../runtime/adapters/worker-pool.piscina.ts';
import { writeContainer } from '../../runtime/spore/container-writer.ts';
import { DeflateStream } from '../../runtime/spore/deflate-file.ts';
import { openRegular } from '../../runtime/spore/file-identity.ts';
import { packSpore } from '../../runtime/spore/index.ts';
import { deflateStreamOptions } from '../../runtime/spore/pack.ts';
import { makeBenchBinary } from '../support/bench-binary.ts';
import { scratch } from '../support/scratch.ts';
import { CREATED_AT, SOURCE, keyOf } from '../support/spore-kit.ts';
import { missing, programOnPath, secondsOf } from './harness.ts';
import type { BenchPlan, Measure, Missing } from './harness.ts';

/** The bench `pack`. */
export function bench(): BenchPlan {
  const folder = scratch();
  const binary = folder.file('binary');
  makeBenchBinary(binary);
  const pool = createWorkerPool();
  const out = folder.file('out');

  const peer = (program: string, args: readonly string[]): Measure | Missing => {
    const path = programOnPath(program);
    if (path === undefined) return missing(`${program} is not installed`);
    return () => timed(() => runTo(path, args, out));
  };
  /** A file that is there is slower to write than a new one, so each round makes a new one. */
  const timed = (work: () => unknown): Promise<number> => {
    rmSync(out, { force: true });
    return secondsOf(work);
  };

  return {
    rows: [
      {
        metric: '200 MiB to a container, without SHA-256',
        unit: 's',
        better: 'less',
        ours: () => timed(() => containerOnly(pool, binary, out)),
        peers: {
          'pigz -K -1': peer('pigz', ['-K', '-1', '-c', binary]),
          'zip -1': peer('zip', ['-1', '-q', '-', binary]),
          archiver: () => timed(() => byArchiver(binary, out)),
          'igzip -1': peer('igzip', ['-1', '-c', binary]),
        },
      },
      {
        metric: 'the same, hashed, signed and on disk',
        unit: 's',
        better: 'less',
        ours: () =>
          timed(() =>
            packSpore(pool, {
              manifest: SOURCE,
              binaryPath: binary,
              key: keyOf(1),
              outPath: out,
              createdAt: CREATED_AT,
            }),
          ),
        peers: {},
      },
    ],
    dispose: async () => {
      await pool.close();
      folder[Symbol.dispose]();
    },
  };
}

async function containerOnly(pool: WorkerPool, path: string, out: string): Promise<void> {
  const { fd, bytes, identity } = openRegular(path);
  closeSync(fd);
  const file = await open(out, 'wx');
  const deflated = new DeflateStream(pool, deflateStreamOptions({ path, bytes, identity }));
  await writeContainer(file, Buffer.from('{}'), deflated);
  await file.close();
}

async function byArchiver(path: string, out: string): Promise<void> {
  const archive = new ZipArchive({ zlib: { level: 1 } });
  archive.append(createReadStream(path), { name: 'binary' });
  await Promise.all([archive.finalize(), pipeline(archive, createWriteStream(out))]);
}

function runTo(program: string, args: readonly string[], out: string): void {
  const fd = openSync(out, 'wx');
  try {
    execFileSync(program, args, { stdio: ['ignore', fd, 'inherit'] });
  } finally {
    closeSync(fd);
  }
}
