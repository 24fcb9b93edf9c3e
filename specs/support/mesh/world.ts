/** A real mesh in a scratch folder, with a trusted key and spores of the sample service. */
import { copyFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { generateKey, readKey } from '../../../runtime/adapters/keys.fs.ts';
import { createTrustStore } from '../../../runtime/adapters/trust.fs.ts';
import { createWorkerPool } from '../../../runtime/adapters/worker-pool.piscina.ts';
import type { MeshOptions } from '../../../runtime/compose.ts';
import type { DeploymentProgress } from '../../../runtime/control/mesh-control.ts';
import { homePaths } from '../../../runtime/home.ts';
import { startMesh } from '../../../runtime/mesh.ts';
import type { Mesh } from '../../../runtime/mesh.ts';
import { packSpore } from '../../../runtime/spore/index.ts';
import { createRepo } from '../../../runtime/adapters/repo.fs.ts';
import type { SporeManifestSource } from '../../../machines/workload/manifest.schema.ts';
import { scratch } from '../scratch.ts';

const SERVICE = fileURLToPath(new URL('../sample-services/http-service.mjs', import.meta.url));

export interface SampleSpore {
  readonly version: string;
  /** What the sample service should do wrong; see its head. */
  readonly mode?: string;
  readonly name?: string;
  readonly binary?: string;
  readonly manifest?: Partial<SporeManifestSource>;
}

export interface MeshWorld extends AsyncDisposable {
  readonly home: string;
  readonly file: (name: string) => string;
  /** Builds, signs and publishes; works with and without a running mesh. */
  spore(sample: SampleSpore): Promise<Digest>;
  /** Starts a mesh; stopped with the world unless it was stopped before. */
  start(options?: Partial<MeshOptions>): Promise<Mesh>;
}

const manifestOf = ({ name = 'hello', version, mode, manifest }: SampleSpore) => ({
  name,
  version,
  runtime: {
    command: 'node',
    args: ['{binary}'],
    env: {
      // The pinned Node, not whatever the machine has.
      PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
      SAMPLE_VERSION: version,
      ...(mode === undefined ? {} : { SAMPLE_MODE: mode }),
    },
  },
  health: { startTimeoutMs: 10_000, warmupMs: 20 },
  drainTimeoutMs: 5_000,
  ...manifest,
});

/** The end of a world waits for its mesh, so that no process outlives a spec. */
export async function meshWorld(): Promise<MeshWorld> {
  const folder = scratch();
  const home = folder.file('home');
  const paths = homePaths(home);
  const { publicKey, keyPath } = await generateKey('dev', folder.path);
  const key = readKey(keyPath);
  const trust = createTrustStore(paths.trust);
  const pool = createWorkerPool();
  let running: Mesh | undefined;
  let built = 0;
  await import('node:fs/promises').then(({ mkdir }) => mkdir(home, { mode: 0o700 }));
  await trust.add(publicKey, { name: 'dev' });
  return {
    home,
    file: (name) => folder.file(name),
    async spore(sample) {
      const binaryPath = folder.file(`binary-${built}`);
      copyFileSync(sample.binary ?? SERVICE, binaryPath);
      const packed = await packSpore(pool, {
        manifest: manifestOf(sample),
        binaryPath,
        key,
        outPath: folder.file(`sample-${built++}.spore`),
        createdAt: '2026-01-01T00:00:00Z',
      });
      const repo = await createRepo(paths.repo, pool, { trust });
      return repo.put(packed.path);
    },
    async start(options = {}) {
      running = await startMesh({ home, port: 0, nodes: 3, ...options });
      return running;
    },
    async [Symbol.asyncDispose]() {
      await running?.stop();
      await pool.close();
      folder[Symbol.dispose]();
    },
  };
}

/** Follows a deployment to its end. */
export async function deploymentOf(
  mesh: Pick<Mesh, 'follow'>,
  app: string,
  generation: number,
): Promise<DeploymentProgress> {
  let last: DeploymentProgress | undefined;
  for await (const progress of mesh.follow(app, generation)) last = progress;
  if (last === undefined) throw new Error(`There is no deployment ${generation} of ${app}.`);
  return last;
}

/** Publishes a plan and waits for its end. */
export async function deploy(
  mesh: Mesh,
  digest: Digest,
  options: {
    app?: string;
    min?: number;
    max?: number;
    strategy?: 'blue_green' | 'stop_first';
  } = {},
): Promise<DeploymentProgress> {
  const { app = 'hello', min = 3, max = 3, strategy = 'blue_green' } = options;
  const plan = await mesh.run({ app, digest, min, max, strategy });
  return deploymentOf(mesh, app, plan.generation);
}

/** Asks again until it holds; a state of the outside world has no event to wait for. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms for: ${what}.`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}
