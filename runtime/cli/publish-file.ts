import type { Digest } from '../../machines/kernel/ids.ts';
import { createRepo } from '../adapters/repo.fs.ts';
import { createTrustStore } from '../adapters/trust.fs.ts';
import { ensureHome } from '../home.ts';
import { withPool } from './worker-pool.ts';

/** Verifies a spore and puts it into the repo of a state folder; a mesh need not run. */
export async function publishFile(home: string, file: string): Promise<Digest> {
  const paths = ensureHome(home);
  const trust = createTrustStore(paths.trust);
  return withPool(async (pool) => (await createRepo(paths.repo, pool, { trust })).put(file));
}
