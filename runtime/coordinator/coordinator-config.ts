/**
 * `coordinator.json`, what a Coordinator's folder says of it, version 1. Paths are relative to the
 * folder. Version history: 1 is the first.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import { isName } from '../../machines/kernel/ids.ts';
import { createPeerFolder } from '../adapters/peers.fs.ts';
import type { KnownPeer } from '../adapters/peers.fs.ts';
import { systemClock } from '../adapters/clock.system.ts';
import { readKey } from '../adapters/keys.fs.ts';
import { writeAtomically } from '../spore/durable.ts';
import type { CoordinatorOptions, HistoryPlace } from './compose-coordinator.ts';
import { coordinatorPaths } from './coordinator-identity.ts';
import { PEERS_FOLDER, coordinatorName } from './names.ts';

const PEERS_MAX = 32;

const configSchema = z.strictObject({
  version: z.literal(1),
  /** Unique among peers; default one from its key. */
  name: z.string().refine(isName, 'is not a DNS label in lower case').exactOptional(),
  host: z.string().min(1).max(253),
  /** 0 takes a free one. */
  port: z.int().min(0).max(65_535),
  history: z.strictObject({ store: z.enum(['sqlite', 'fs']), folder: z.string().min(1) }),
  /** Peers on other machines; those on the same history are found without. */
  peers: z
    .array(
      z.strictObject({
        name: z.string().refine(isName),
        host: z.string().min(1).max(253),
        port: z.int().min(1).max(65_535),
      }),
    )
    .max(PEERS_MAX),
});

export type CoordinatorConfig = z.output<typeof configSchema>;

/** What a folder without a file says. */
export const CONFIG_DEFAULTS: CoordinatorConfig = {
  version: 1,
  host: '127.0.0.1',
  port: 7443,
  history: { store: 'sqlite', folder: 'history' },
  peers: [],
};

/** Writes it for the first time. MESH_ERR_COORDINATOR_INITIALISED where the folder has one. */
export async function writeCoordinatorConfig(
  folder: string,
  config: CoordinatorConfig,
): Promise<void> {
  const { config: path } = coordinatorPaths(folder);
  if (existsSync(path))
    throw coordinatorError(
      'MESH_ERR_COORDINATOR_INITIALISED',
      `Making a Coordinator in ${folder}: there is one already.`,
    );
  const text = `${JSON.stringify(config, null, 2)}\n`;
  await writeAtomically(path, (file) => file.writeFile(text), { mode: 0o600 });
}

/** What the folder says. MESH_ERR_COORDINATOR_CONFIG for a file that is missing or malformed. */
export function readCoordinatorConfig(folder: string): CoordinatorConfig {
  const { config: path } = coordinatorPaths(folder);
  const invalid = (found: string, cause?: unknown): Error =>
    coordinatorError('MESH_ERR_COORDINATOR_CONFIG', `Reading ${path}: ${found}.`, { cause });
  if (!existsSync(path)) throw invalid('there is no Coordinator in this folder');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw invalid('it cannot be read as JSON', cause);
  }
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const found = parsed.error.issues.map(({ path: at, message }) => `${at.join('.')}: ${message}`);
  throw invalid(found.join('; '));
}

/** What `startCoordinator` is given for a folder. */
export function optionsOf(folder: string, config: CoordinatorConfig): CoordinatorOptions {
  const { name, host, port, peers } = config;
  const history = historyPlaceOf(folder, config);
  return { folder, host, port, peers, history, ...(name !== undefined && { name }) };
}

const historyPlaceOf = (folder: string, { history }: CoordinatorConfig): HistoryPlace => ({
  ...history,
  folder: resolve(folder, history.folder),
});

/**
 * Where the Coordinator of a folder said that it listens; undefined while none runs there. A folder
 * without a file is that of a mesh's own Coordinator. MESH_ERR_COORDINATOR_CONFIG, MESH_ERR_KEY_*.
 */
export async function runningIn(folder: string): Promise<KnownPeer | undefined> {
  const paths = coordinatorPaths(folder);
  const hasConfig = existsSync(paths.config);
  // A folder that is nobody's is told as such.
  const config =
    hasConfig || !existsSync(paths.nodeKey) ? readCoordinatorConfig(folder) : CONFIG_DEFAULTS;
  const name = config.name ?? coordinatorName(readKey(paths.nodeKey));
  const place = historyPlaceOf(folder, config);
  const peers = createPeerFolder({
    folder: join(place.folder, PEERS_FOLDER),
    name: '',
    clock: systemClock,
  });
  return (await peers.list()).find((one) => one.name === name && one.isLive);
}
