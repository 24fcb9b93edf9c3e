import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  ensurePeerFolder,
  ensurePeerKey,
  peerPaths,
} from '../../../../runtime/gossip/peer/peer-home.ts';
import { scratch } from '../../../support/scratch.ts';

describe('ensurePeerKey', () => {
  it('makes one private key, also where several ask at once', async () => {
    using folder = scratch();
    const home = folder.file('home');
    const keys = await Promise.all(Array.from({ length: 8 }, () => ensurePeerKey(home)));
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1);
    const paths = peerPaths(home);
    expect(statSync(paths.key).mode & 0o777).toBe(0o600);
    expect(statSync(paths.folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(paths.folder).toSorted()).toEqual(['peer.key', 'peer.pub']);
    expect((await ensurePeerKey(home)).id).toBe(keys[0]?.id);
  });

  it('makes one where an earlier start died over it, and leaves what it left', async () => {
    using folder = scratch();
    const home = folder.file('home');
    const paths = ensurePeerFolder(home);
    mkdirSync(`${paths.folder}/new-key-dead`);
    writeFileSync(`${paths.folder}/new-key-dead/peer.key`, '', { mode: 0o600 });
    writeFileSync(paths.publicKey, 'of another try');
    const { id } = await ensurePeerKey(home);
    expect((await ensurePeerKey(home)).id).toBe(id);
    expect(readFileSync(paths.publicKey, 'utf8')).toContain('BEGIN PUBLIC KEY');
  });

  it('refuses a key that others may read', async () => {
    using folder = scratch();
    const home = folder.file('home');
    await ensurePeerKey(home);
    chmodSync(peerPaths(home).key, 0o644);
    await expect(ensurePeerKey(home)).rejects.toMatchObject({ code: 'MESH_ERR_KEY_EXPOSED' });
  });
});

describe('ensurePeerFolder', () => {
  it('says that it cannot be made', () => {
    using folder = scratch();
    const home = folder.file('home');
    mkdirSync(home);
    writeFileSync(`${home}/peer`, 'a file');
    expect(() => ensurePeerFolder(home)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_PEER_HOME' }) as Error,
    );
  });
});
