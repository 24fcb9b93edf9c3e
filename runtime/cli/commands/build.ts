import { readFileSync } from 'node:fs';
import { readKey } from '../../adapters/keys.fs.ts';
import { parseManifestSource } from '../../../machines/workload/manifest.schema.ts';
import { parseStrictJsonBytes } from '../../../machines/workload/strict-json.ts';
import { packSpore } from '../../spore/index.ts';
import type { Invocation, Run } from '../command.ts';
import { cliError } from '../errors.ts';
import { byteCount } from '../format.ts';
import { text } from '../option-values.ts';
import { createByteProgress } from '../progress.ts';
import { withPool } from '../worker-pool.ts';

/** RFC 3339 in whole UTC seconds, as the manifest of a spore wants it. */
const CREATED_AT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

export const run: Run = async ({ args, options, out }) => {
  const manifestPath = text(options['manifest']) ?? '';
  const key = readKey(text(options['key']) ?? '');
  const createdAt = creationTime(options);
  const outPath = text(options['out']) ?? defaultName(manifestPath);
  const binaryPath = args['binary'] ?? '';
  const { onProgress, end } = createByteProgress(out, `Packing ${binaryPath}`);
  const packed = await withPool((pool) =>
    packSpore(pool, { manifestPath, binaryPath, key, outPath, createdAt, onProgress }),
  ).finally(end);
  const { path, digest, bytes, manifest } = packed;
  out.data({ path, digest, bytes, manifest }, () => path);
  out.note(`${manifest.name} ${manifest.version}, ${byteCount(bytes)}, digest ${digest}`);
};

function creationTime(options: Invocation['options']): string {
  const said = text(options['createdAt']);
  if (said === undefined) return `${new Date().toISOString().slice(0, 19)}Z`;
  if (CREATED_AT.test(said) && !Number.isNaN(Date.parse(said))) return said;
  throw cliError(
    'MESH_ERR_CLI_USAGE',
    `--created-at takes a time such as 2026-01-02T03:04:05Z, not "${said}".`,
  );
}

function defaultName(manifestPath: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(manifestPath);
  } catch (cause) {
    throw cliError(
      'MESH_ERR_CLI_USAGE',
      `The manifest ${manifestPath} cannot be read: ${String(cause)}.`,
      { cause },
    );
  }
  const { name, version } = parseManifestSource(parseStrictJsonBytes(bytes));
  return `${name}-${version}.spore`;
}
