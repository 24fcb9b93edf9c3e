/** The sample service of `mesh dev`: its key, its two spores, its two deployments. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { generateKey, readKey } from '../adapters/keys.fs.ts';
import { createRepo } from '../adapters/repo.fs.ts';
import { createTrustStore } from '../adapters/trust.fs.ts';
import type { MeshControl } from '../control/mesh-control.ts';
import { HELLO_BINARY, HELLO_CREATED_AT, HELLO_VERSIONS } from '../demo/manifests.ts';
import { ensureHome } from '../home.ts';
import type { HomePaths } from '../home.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import type { SporeManifestSource } from '../../machines/workload/manifest.schema.ts';
import { packSpore } from '../spore/index.ts';
import type { KeyFile } from '../spore/index.ts';
import { deploymentError } from './deployment-error.ts';
import { cliError } from './errors.ts';
import { watchDeployment } from './follow-deployment.ts';
import { shortDigest } from './format.ts';
import type { Output } from './output.ts';
import { withPool } from './worker-pool.ts';

export interface Demo {
  /** Of versions 1.0.0 and 2.0.0. */
  readonly digests: readonly [Digest, Digest];
}

const APP = 'hello';
const KEY_NAME = 'dev';
/** Two switches of a service that starts in a fraction of a second. */
const DEPLOY_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

/** Makes what is missing: a key that is trusted, and both versions in the repo. */
export async function prepareDemo(home: string, out: Output): Promise<Demo> {
  const paths = ensureHome(home);
  const key = await devKey(paths, out);
  const trust = createTrustStore(paths.trust);
  await trust.add(key.publicKey, { name: KEY_NAME });
  return withPool(async (pool) => {
    const repo = await createRepo(paths.repo, pool, { trust });
    const build = async (manifest: SporeManifestSource): Promise<Digest> => {
      const outPath = join(paths.keys, `${manifest.name}-${manifest.version}.spore`);
      const binaryPath = fileURLToPath(HELLO_BINARY);
      const createdAt = HELLO_CREATED_AT;
      await packSpore(pool, { manifest, binaryPath, key, outPath, createdAt });
      const digest = await repo.put(outPath);
      out.note(`Built, signed and published hello ${manifest.version}: ${shortDigest(digest)}`);
      return digest;
    };
    return { digests: [await build(HELLO_VERSIONS[0]), await build(HELLO_VERSIONS[1])] };
  });
}

async function devKey({ keys }: HomePaths, out: Output): Promise<KeyFile> {
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const path = join(keys, `${KEY_NAME}.key`);
  if (!existsSync(path)) {
    await generateKey(KEY_NAME, keys);
    out.note(`Made a signing key for this mesh: ${path}`);
  }
  return readKey(path);
}

/**
 * Brings the second version to serve: by way of the first where nothing of it is there yet, with no
 * deployment at all where it runs already.
 */
export async function deployDemo(
  mesh: MeshControl,
  { digests }: Demo,
  out: Output,
  signal: AbortSignal,
): Promise<void> {
  const [first, second] = digests;
  const before = await planBefore(mesh);
  if (before === null) await deploy(mesh, first, out, signal);
  if (before?.digest === second && before.intent === 'run') await settled(mesh, out, signal);
  else await deploy(mesh, second, out, signal);
}

async function planBefore(mesh: MeshControl) {
  try {
    return (await mesh.status(APP)).plan;
  } catch (error) {
    if (codeOf(error) === 'MESH_ERR_FABRIC_UNKNOWN_APP') return null;
    throw error;
  }
}

async function deploy(
  mesh: MeshControl,
  digest: Digest,
  out: Output,
  signal: AbortSignal,
): Promise<void> {
  const { nodes } = await mesh.info();
  const plan = await mesh.run({ app: APP, digest, min: 1, max: nodes.length });
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEPLOY_TIMEOUT_MS)]);
  const last = await watchDeployment(out, mesh, plan, deadline);
  if (last?.deployment.outcome !== 'succeeded') throw deploymentError(out, plan, last);
  const { deployment, serving } = last;
  out.note(`hello ${deployment.version} serves on ${String(serving)} nodes.`);
}

/** Waits for the instances of an earlier run to serve again. */
async function settled(mesh: MeshControl, out: Output, signal: AbortSignal): Promise<void> {
  out.note('hello 2.0.0 is deployed already.');
  const deadlineMs = performance.now() + DEPLOY_TIMEOUT_MS;
  for (;;) {
    const { state, why } = await mesh.status(APP);
    if (state === 'running') return;
    if (performance.now() > deadlineMs)
      throw cliError('MESH_ERR_CLI_TIMED_OUT', `hello does not serve: ${why ?? state}`);
    await pause(POLL_MS, undefined, { signal });
  }
}
