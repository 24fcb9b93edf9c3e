/** The files that a Coordinator proves itself with, and what it says of itself. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COORDINATOR_IDENTITY } from '../../machines/coordinator/identities.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { generateKey, readKey } from '../adapters/keys.fs.ts';
import type { ProcessFacts } from '../attest/process-evidence.ts';
import type { KeyFile } from '../spore/signing.ts';

/** Where the files of one Coordinator are. */
export interface CoordinatorPaths {
  readonly folder: string;
  /** Private keys, 0600 in a folder of 0700. */
  readonly keys: string;
  readonly nodeKey: string;
  /** How far it has seen the history; must not be beside it. */
  readonly floor: string;
  readonly config: string;
  /** The history, unless the configuration has another place for it. */
  readonly history: string;
  /** What its actors remember over a crash of the program: hashes and counters. */
  readonly journal: string;
}

/** The paths of a Coordinator's folder; makes nothing. */
export const coordinatorPaths = (folder: string): CoordinatorPaths => ({
  folder,
  keys: join(folder, 'keys'),
  nodeKey: join(folder, 'keys', 'node.key'),
  floor: join(folder, 'floor.json'),
  config: join(folder, 'coordinator.json'),
  history: join(folder, 'history'),
  journal: join(folder, 'journal.sqlite'),
});

/**
 * The node key that is in that folder, made where there is none. Throws as `generateKey` and `readKey`.
 */
export async function ensureNodeKey(keys: string): Promise<KeyFile> {
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const path = join(keys, 'node.key');
  try {
    await generateKey('node', keys);
  } catch (error) {
    if (codeOf(error) !== 'MESH_ERR_KEY_EXISTS') throw error;
  }
  return readKey(path);
}

/** The package's own description stands for its binary: an interpreted program has no other one file. */
const PROGRAM = new URL(import.meta.resolve('mycelium-mesh/package.json'));

/** What its node key signs of a Coordinator. */
export const coordinatorFacts = (name: string): ProcessFacts => ({
  spore: COORDINATOR_IDENTITY,
  binary: createHash('sha256').update(readFileSync(PROGRAM)).digest('hex'),
  instance: name,
});
