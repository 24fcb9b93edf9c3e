/** Spores as an instance needs them: verified, in a private folder of its own. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkerPool } from '../../actors/pool/ports.ts';
import type { SporeFiles } from '../../actors/workload/ports/instance.ts';
import type { Repo, TrustStore } from '../../actors/workload/ports/spore.ts';
import type { LaunchSettings } from '../../machines/workload/instance-rules.ts';
import { BINARY_PLACEHOLDER } from '../../machines/workload/manifest.schema.ts';
import type { SporeManifest } from '../../machines/workload/manifest.schema.ts';
import { extractSpore } from '../spore/index.ts';

export interface SporeFilesOptions {
  /** Folder of the instances' folders. */
  readonly folder: string;
  readonly repo: Repo;
  readonly trust: TrustStore;
  readonly pool: WorkerPool;
}

export interface SporeFilesOnDisk extends SporeFiles {
  /** Removes the folders of all instances but these; what a crash left behind. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

/** A digest's settings never change, and are asked for with each switch. */
const SETTINGS_MAX = 1_024;

const settingsOf = ({
  health,
  drainTimeoutMs,
  identity = 'optional',
  serve,
}: SporeManifest): LaunchSettings => ({
  healthPath: health.path,
  startTimeoutMs: health.startTimeoutMs,
  intervalMs: health.intervalMs,
  failuresMax: health.failuresMax,
  warmupMs: health.warmupMs,
  drainTimeoutMs,
  identity,
  ...(serve && { tls: serve.tls }),
});

export function createSporeFiles(options: SporeFilesOptions): SporeFilesOnDisk {
  const { folder, repo, trust, pool } = options;
  const known = new Map<string, LaunchSettings>();
  const remember = (digest: string, manifest: SporeManifest): LaunchSettings => {
    const [oldest = ''] = known.keys();
    if (known.size >= SETTINGS_MAX) known.delete(oldest);
    const settings = settingsOf(manifest);
    known.set(digest, settings);
    return settings;
  };
  const discard = (instance: string): Promise<void> =>
    rm(join(folder, instance), { recursive: true, force: true });
  return {
    async prepare({ instance, digest, app }, signal) {
      const path = await repo.path(digest);
      // A launch that was cut short may have left its folder: what was not verified now is not run.
      await discard(instance);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const destDir = join(folder, instance);
      const { binaryPath, manifest } = await extractSpore(pool, path, {
        trust,
        app,
        expectedDigest: digest,
        destDir,
        signal,
      });
      const withBinary = (text: string): string => text.replaceAll(BINARY_PLACEHOLDER, binaryPath);
      const { command, args, env } = manifest.runtime;
      return {
        settings: remember(digest, manifest),
        command: withBinary(command),
        args: args.map(withBinary),
        env: Object.fromEntries(
          Object.entries(env).map(([name, value]) => [name, withBinary(value)]),
        ),
        folder: destDir,
      };
    },
    settings: async (digest) => known.get(digest) ?? remember(digest, await repo.manifest(digest)),
    discard,
    async sweep(keep) {
      const names = await readdir(folder).catch(() => [] as string[]);
      for (const name of names) if (!keep.has(name)) await discard(name);
    },
  };
}
