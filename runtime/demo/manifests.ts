/** The two versions of the sample service that `mesh dev` deploys one after the other. */
import { dirname } from 'node:path';
import type { SporeManifestSource } from '../../machines/workload/manifest.schema.ts';

/** The source of both; what differs is in their manifests. */
export const HELLO_BINARY = new URL('hello.mjs', import.meta.url);

/** Fixed, so that the same key makes the same digest at each start. */
export const HELLO_CREATED_AT = '2026-01-01T00:00:00Z';

/** One version of the service; `node` is found on the PATH of the Node that runs the mesh. */
function hello(version: string, colour: string): SporeManifestSource {
  return {
    kind: 'Spore',
    name: 'hello',
    version,
    runtime: {
      command: 'node',
      args: ['{binary}'],
      env: {
        PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
        VERSION: version,
        COLOUR: colour,
      },
    },
    health: { path: '/health', startTimeoutMs: 10_000, warmupMs: 100 },
    drainTimeoutMs: 5_000,
  };
}

export const HELLO_VERSIONS: readonly [SporeManifestSource, SporeManifestSource] = [
  hello('1.0.0', 'steelblue'),
  hello('2.0.0', 'seagreen'),
];
