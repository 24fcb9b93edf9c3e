/** Where a peer keeps what is its own, and its key. */
import { existsSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { generateKey, readKey } from '../../adapters/keys.fs.ts';
import { ensureHome, homePaths } from '../../home.ts';
import { syncFolder } from '../../spore/durable.ts';
import type { KeyFile } from '../../spore/signing.ts';
import { peerError } from '../errors.ts';

/** Below the state folder. */
export interface PeerPaths {
  readonly folder: string;
  /** PKCS #8 PEM, 0600. */
  readonly key: string;
  readonly publicKey: string;
  readonly store: string;
  /** Of the peer's actors, where they have a tree of their own. */
  readonly journal: string;
  /** Control socket, 0600. */
  readonly socket: string;
  /** Keys of groups, NAME.key. */
  readonly groups: string;
}

export function peerPaths(home: string): PeerPaths {
  const folder = join(homePaths(home).home, 'peer');
  return {
    folder,
    key: join(folder, 'peer.key'),
    publicKey: join(folder, 'peer.pub'),
    store: join(folder, 'peer.sqlite'),
    journal: join(folder, 'journal.sqlite'),
    socket: join(folder, 'peer.sock'),
    groups: join(folder, 'groups'),
  };
}

/** Makes the state folder and the peer's in it, 0700. MESH_ERR_CONTROL_HOME_UNUSABLE, MESH_ERR_PEER_HOME. */
export function ensurePeerFolder(home: string): PeerPaths {
  ensureHome(home);
  const paths = peerPaths(home);
  try {
    mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw peerError('MESH_ERR_PEER_HOME', `Making ${paths.folder} failed: ${String(cause)}.`, {
      cause,
    });
  }
  return paths;
}

/**
 * The peer's key pair; made at the first call, once, also where several programs ask at the same
 * moment or one is killed over it. Throws what `readKey` throws.
 */
export async function ensurePeerKey(home: string): Promise<KeyFile> {
  const paths = ensurePeerFolder(home);
  if (!existsSync(paths.key)) await makeKey(paths);
  return readKey(paths.key);
}

async function makeKey(paths: PeerPaths): Promise<void> {
  const folder = mkdtempSync(join(paths.folder, 'new-key-'));
  try {
    const made = await generateKey('peer', folder);
    try {
      // A link appears whole or not at all, and never takes the place of another key.
      linkSync(made.keyPath, paths.key);
      renameSync(made.publicKeyPath, paths.publicKey);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    await syncFolder(paths.folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
