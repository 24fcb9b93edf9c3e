/** The client example of the folder's README, as it stands there, against a real Coordinator. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { generateKey, readKey } from '../../../runtime/adapters/keys.fs.ts';
import {
  CoordinatorFarm,
  WORKLOAD,
  manifestFor,
  setManifestAs,
} from '../../support/coordinator/real-coordinators.ts';
import { scratch } from '../../support/scratch.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/mesh-certificate.ts', import.meta.url));
const README = new URL('../../../runtime/rpc/README.md', import.meta.url);
const run = promisify(execFile);

describe('runtime/rpc/README.md', () => {
  it('shows the example that is executed here', () => {
    const [, shown] = /```ts\n([^]*?)```/.exec(readFileSync(README, 'utf8')) ?? [];
    expect(shown).toBe(readFileSync(EXAMPLE, 'utf8'));
  });

  it('has an example that obtains a certificate', async () => {
    await using farm = new CoordinatorFarm();
    using folder = scratch();
    const coordinator = await farm.start({ name: 'one' });
    const { keyPath } = await generateKey('node', folder.path);
    const nodeKey = Buffer.from(readKey(keyPath).publicKey).toString('hex');
    const own = manifestFor([coordinator.nodeKey]);
    const nodeKeys = [coordinator.nodeKey, nodeKey];
    const referenceValues = { process: { nodeKeys }, hardware: 'optional' };
    const manifest = { ...own, referenceValues };
    await setManifestAs(coordinator, manifest);
    writeFileSync(folder.file('manifest.json'), JSON.stringify(manifest));
    const args = [EXAMPLE, String(coordinator.port), WORKLOAD];
    const { stdout } = await run(process.execPath, args, { cwd: folder.path });
    expect(stdout).toContain('URI:spiffe://mesh.local/workload/hello true\n');
    expect(stdout).toContain('CN=Mycelium Mesh Root CA');
  });
});
