/**
 * Coordinators that share a history find each other beside it: each keeps a small file there, renewed
 * every two seconds, and believes those of the others for six. A file only says where to ask: who
 * answers there has to attest itself.
 *
 *     <name>.json   {"name","host","port","state","announcedAtMs"}
 */
import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ANNOUNCEMENT_LIFETIME_MS } from '../../actors/coordinator/ports/front.ts';
import type { PeerRegister } from '../../actors/coordinator/ports/front.ts';
import type { PeerDirectory } from '../../actors/coordinator/ports/peers.ts';
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import type { GuardStatus } from '../../machines/coordinator/stateguard.machine.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { isName } from '../../machines/kernel/ids.ts';

/** Another Coordinator, by name and address. */
export interface PeerAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** One that was found, and what it last said of itself. */
export interface KnownPeer extends PeerAddress {
  /** `null` for one that is only configured. */
  readonly state: GuardStatus | null;
  /** False once it has not renewed its file in time. */
  readonly isLive: boolean;
}

export interface PeerFolderOptions {
  /** Made if it is missing; its parent must be. */
  readonly folder: string;
  /** Of this Coordinator. */
  readonly name: string;
  /** Peers on other machines, which cannot be found here; they are always asked. */
  readonly configured?: readonly PeerAddress[];
  readonly clock: Pick<Clock, 'now'>;
}

/** The register of one Coordinator, and what it finds there. */
export interface PeerFolder extends PeerDirectory, PeerRegister {
  /** All others, by name. */
  list(): Promise<readonly KnownPeer[]>;
  /** MESH_ERR_COORDINATOR_PEER_REFUSED for a peer that was never found. */
  addressOf(name: string): PeerAddress;
}

/** Files that are looked at; more Coordinators on one history than this are a mistake. */
const PEERS_READ_MAX = 64;
const FILE_BYTES_MAX = 1024;
/** A file of a Coordinator that ended without taking it away is removed by the next one to start. */
const FORGET_MS = 3_600_000;
const SUFFIX = '.json';

const STATES = ['empty', 'recovering', 'ready', 'stale', 'storeUnavailable'] as const;
const entrySchema = z.strictObject({
  name: z.string().refine(isName),
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535),
  state: z.enum(STATES),
  announcedAtMs: z.int().min(0),
});
type Entry = z.output<typeof entrySchema>;

/** Makes the register of one Coordinator; touches nothing yet. */
export function createPeerFolder(options: PeerFolderOptions): PeerFolder {
  const { folder, name, configured = [], clock } = options;
  const known = new Map<string, PeerAddress>(configured.map((one) => [one.name, one]));
  const isLive = ({ announcedAtMs }: Entry): boolean =>
    Math.abs(clock.now() - announcedAtMs) <= ANNOUNCEMENT_LIFETIME_MS;
  let isSwept = false;
  const list = async (): Promise<readonly KnownPeer[]> => {
    const found = (await readEntries(folder)).filter((entry) => entry.name !== name);
    for (const { name: peer, host, port } of found) known.set(peer, { name: peer, host, port });
    const announced = found.map((entry): KnownPeer => {
      const { announcedAtMs: _, ...rest } = entry;
      return { ...rest, isLive: isLive(entry) };
    });
    const isAnnounced = new Set(found.map((entry) => entry.name));
    return [
      ...configured
        .filter((one) => one.name !== name && !isAnnounced.has(one.name))
        .map((one): KnownPeer => ({ ...one, state: null, isLive: true })),
      ...announced,
    ].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  };
  return {
    list,
    peers: async () =>
      (await list())
        .filter(({ isLive, state }) => isLive && (state === null || state === 'ready'))
        .map((peer) => peer.name),
    addressOf: (peer) => {
      const address = known.get(peer);
      if (address !== undefined) return address;
      throw coordinatorError(
        'MESH_ERR_COORDINATOR_PEER_REFUSED',
        `Recovering from ${peer}: nobody of that name was found.`,
      );
    },
    announce: async ({ host, port, state }) => {
      if (!isSwept) {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await sweep(folder, clock.now());
        isSwept = true;
      }
      const entry: Entry = { name, host, port, state, announcedAtMs: clock.now() };
      const temp = join(folder, `.${name}.tmp`);
      // Nothing is synced: after a loss of power nobody of them runs.
      await writeFile(temp, JSON.stringify(entry), { mode: 0o600 });
      await rename(temp, join(folder, `${name}${SUFFIX}`));
    },
    withdraw: () => rm(join(folder, `${name}${SUFFIX}`), { force: true }),
  };
}

async function readEntries(folder: string): Promise<Entry[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((file) => !file.startsWith('.') && file.endsWith(SUFFIX));
  const read = files.toSorted().slice(0, PEERS_READ_MAX);
  const entries = await Promise.all(read.map((file) => readEntry(folder, file)));
  return entries.filter((entry) => entry !== undefined);
}

/** What cannot be read, or is no entry, is nobody: it says nothing of the others. */
async function readEntry(folder: string, file: string): Promise<Entry | undefined> {
  const text = await readStart(join(folder, file));
  if (text === undefined) return undefined;
  const parsed = entrySchema.safeParse(jsonOf(text));
  return parsed.success && `${parsed.data.name}${SUFFIX}` === file ? parsed.data : undefined;
}

async function readStart(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(FILE_BYTES_MAX + 1));
    return bytesRead > FILE_BYTES_MAX ? undefined : buffer.toString('utf8', 0, bytesRead);
  } catch {
    // It may have been withdrawn since the folder was listed; see above.
    return undefined;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no entry, which the caller says.
    return undefined;
  }
}

async function sweep(folder: string, nowMs: number): Promise<void> {
  for (const { name, announcedAtMs } of await readEntries(folder))
    if (nowMs - announcedAtMs > FORGET_MS)
      await rm(join(folder, `${name}${SUFFIX}`), { force: true });
}
