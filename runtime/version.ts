import { readFileSync } from 'node:fs';

interface PackageManifest {
  readonly version: string;
}

/** The package's own version, from the package.json beside the sources or above the build. */
export const { version: VERSION } = JSON.parse(
  readFileSync(new URL(import.meta.resolve('mycelium-mesh/package.json')), 'utf8'),
) as PackageManifest;
