import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { TrustStore } from '../../actors/workload/ports/spore.ts';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import { isName } from '../../machines/kernel/ids.ts';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import { isTrustedBy } from '../../machines/workload/spore-rules.ts';
import type { TrustEntry } from '../../machines/workload/spore-rules.ts';
import { parseStrictJsonBytes } from '../../machines/workload/strict-json.ts';
import { writeAtomically } from '../spore/durable.ts';
import { keyId } from '../spore/signing.ts';
import { withFileLock } from './file-lock.sqlite.ts';

/** Entries of one store: each verification looks through all of them. */
export const TRUST_ENTRIES_MAX = 1024;

/** Patience with another process that changes the store; a change takes milliseconds. */
const LOCK_TIMEOUT_MS = 5000;

/** What `createTrustStore` may be told besides its file. */
export interface TrustStoreOptions {
  /** Milliseconds to wait for another process that changes the store; default 5,000. */
  readonly lockTimeoutMs?: number;
}

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const label = z.string().refine(isName);

/** The file: version 1 is the first. */
const fileSchema = z.strictObject({
  kind: z.literal('TrustStore'),
  version: z.literal(1),
  keys: z
    .array(z.strictObject({ id: hex32, publicKey: hex32, name: label, app: label.exactOptional() }))
    .max(TRUST_ENTRIES_MAX),
});

/**
 * A trust store in one JSON file of mode 0600, made with its folder when the first key is added. It
 * is written whole or not at all, and changes of several processes happen one after the other.
 */
export function createTrustStore(file: string, options: TrustStoreOptions = {}): TrustStore {
  const { lockTimeoutMs = LOCK_TIMEOUT_MS } = options;
  const list = async (): Promise<readonly TrustEntry[]> => readEntries(file);

  return {
    list,

    async isTrusted(publicKey, app) {
      return isTrustedBy(await list(), Buffer.from(publicKey).toString('hex'), app);
    },

    async add(publicKey, { name, app }) {
      const entry = entryOf(publicKey, name, app);
      return change(file, lockTimeoutMs, (entries) => {
        const known = entries.find((other) => other.id === entry.id && other.app === app);
        const other = entries.find((other) => other.name === name && other.id !== entry.id);
        if (other)
          throw sporeError('MESH_ERR_TRUST_CONFLICT', `Trusting ${name}: it is key ${other.id}.`);
        if (known?.name === name) return { result: known };
        const kept = entries.filter((other) => other !== known);
        if (kept.length >= TRUST_ENTRIES_MAX)
          throw sporeError('MESH_ERR_TRUST_FULL', `Trusting ${name}: ${file} is full.`);
        return { result: entry, entries: [...kept, entry] };
      });
    },

    async remove(idOrName) {
      return change(file, lockTimeoutMs, (entries) => {
        const isMeant = (entry: TrustEntry): boolean =>
          entry.id === idOrName || entry.name === idOrName;
        const result = entries.filter(isMeant);
        if (result.length === 0)
          throw sporeError(
            'MESH_ERR_TRUST_UNKNOWN',
            `Removing "${idOrName}": ${file} has no such.`,
          );
        return { result, entries: entries.filter((entry) => !isMeant(entry)) };
      });
    },
  };
}

function entryOf(publicKey: Uint8Array, name: string, app: string | undefined): TrustEntry {
  if (publicKey.length !== 32 || !isName(name) || (app !== undefined && !isName(app)))
    throw sporeError(
      'MESH_ERR_TRUST_ENTRY',
      `Trusting ${JSON.stringify(name)}: the key has ${publicKey.length} bytes, app ${app ?? 'any'}.`,
    );
  const hex = Buffer.from(publicKey).toString('hex');
  return { id: keyId(publicKey), publicKey: hex, name, ...(app === undefined ? {} : { app }) };
}

interface Change<Result> {
  readonly result: Result;
  /** Absent: nothing is to be written. */
  readonly entries?: readonly TrustEntry[];
}

async function change<Result>(
  file: string,
  lockTimeoutMs: number,
  decide: (entries: readonly TrustEntry[]) => Change<Result>,
): Promise<Result> {
  try {
    prepare(file);
    const locked = await withFileLock(file, lockTimeoutMs, async () => {
      const { result, entries } = decide(readEntries(file));
      if (entries) await writeEntries(file, entries);
      return result;
    });
    if (locked) return locked.result;
  } catch (cause) {
    throw asTrustError(`Changing ${file}`, cause);
  }
  throw sporeError('MESH_ERR_TRUST_BUSY', `Changing ${file}: its lock was not free in time.`);
}

/** Makes the folder, and the lock with the permissions of the file. */
function prepare(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const lock = `${file}.lock`;
  if (existsSync(lock)) return;
  closeSync(openSync(lock, 'a', 0o600));
  chmodSync(lock, 0o600);
}

async function writeEntries(file: string, keys: readonly TrustEntry[]): Promise<void> {
  const text = `${JSON.stringify({ kind: 'TrustStore', version: 1, keys }, undefined, 2)}\n`;
  const code = 'MESH_ERR_TRUST_IO';
  await writeAtomically(file, (handle) => handle.writeFile(text), { mode: 0o600, code });
}

function readEntries(file: string): readonly TrustEntry[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw asTrustError(`Reading ${file}`, cause);
  }
  try {
    const { keys } = fileSchema.parse(parseStrictJsonBytes(bytes));
    if (keys.every((key) => key.id === keyId(Buffer.from(key.publicKey, 'hex')))) return keys;
  } catch (cause) {
    throw malformed(file, cause);
  }
  throw malformed(file, new Error('An id is not the SHA-256 of its key.'));
}

const malformed = (file: string, cause: unknown): CodedError =>
  sporeError('MESH_ERR_TRUST_MALFORMED', `Reading ${file}: it is not a trust store.`, { cause });

const asTrustError = (attempted: string, cause: unknown): CodedError =>
  cause instanceof CodedError
    ? cause
    : sporeError('MESH_ERR_TRUST_IO', `${attempted} failed.`, { cause });
