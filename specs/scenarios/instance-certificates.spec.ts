/** Mesh certificates of real instances, from a real Coordinator, seen by OpenSSL and by two languages. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../machines/kernel/ids.ts';
import type { Mesh } from '../../runtime/mesh.ts';
import {
  TLS_SERVICE_PY,
  certifiedWorld,
  tlsSample,
  workloadOf,
} from '../support/mesh/certified-world.ts';
import type { CertifiedWorld } from '../support/mesh/certified-world.ts';
import { deploy, until } from '../support/mesh/world.ts';

const text = async (mesh: Pick<Mesh, 'edgeUrl'>, path: string): Promise<string> =>
  (await (await fetch(`${mesh.edgeUrl}${path}`)).text()).trim();

const filesOf = (world: CertifiedWorld, instance: string, name: string): string =>
  join(world.home, 'instances', instance, 'identity', name);

describe('instance certificates', () => {
  it('lie in private files, satisfy OpenSSL, and carry requests by mutual TLS', async () => {
    await using world = await certifiedWorld();
    const digest = await world.spore(tlsSample('1.0.0'));
    await world.certify([workloadOf(digest)]);
    const mesh = await world.start({ coordinator: world.link });
    const { deployment } = await deploy(mesh, digest, { min: 1, max: 1 });
    expect(deployment).toMatchObject({ outcome: 'succeeded' });
    expect(await text(mesh, '/hello/hello')).toContain('hello over TLS');
    expect(await text(mesh, '/hello/peer')).toContain('URI:spiffe://mesh.local/edge/edge');
  }, 60_000);
});
