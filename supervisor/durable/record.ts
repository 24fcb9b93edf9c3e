/**
 * The written form of a durable actor: format 1 is a JSON object. Version history: 1, the first.
 * Whether its bytes are whole is the journal's to know; what they mean is decided here.
 */
import type { CodedError } from '../../machines/kernel/coded-error.ts';
import { journalError } from './errors.ts';

/** The format that this program writes. */
export const RECORD_FORMAT = 1;

/** A delayed event of the actor, or of one that its machine owns. */
export interface SavedDeadline {
  /** Ids from the actor down to the owner of the deadline; empty for the actor itself. */
  readonly of: readonly string[];
  /** Likewise for whoever gets the event; a text is the path of another child of the tree. */
  readonly to: readonly string[] | string;
  readonly id?: string;
  readonly event: { readonly type: string };
  /** Wall-clock, so that time goes on while the program does not run. */
  readonly dueAtMs: number;
  /** What was left of the delay when it was written: it is never waited longer. */
  readonly leftMs: number;
}

/** Mail within the actor's own family that was not handled yet. */
export interface SavedLetter {
  readonly to: readonly string[];
  readonly event: { readonly type: string };
}

/** One record. */
export interface DurableRecord {
  readonly format: number;
  /** The `id` of the machine; the logic's kind where it has none. */
  readonly machine: string;
  readonly version?: string;
  readonly savedAtMs: number;
  /** As XState's `getPersistedSnapshot` gives it. */
  readonly snapshot: unknown;
  readonly deadlines?: readonly SavedDeadline[];
  readonly mail?: readonly SavedLetter[];
  /** Crashes in a row right after continuing from it. */
  readonly failures?: number;
}

/** Which machine a record must be of. */
export interface MachineTag {
  readonly machine: string;
  readonly version: string | undefined;
}

/** Reads a record; an error says why it must not be used. */
export function readRecord(
  path: string,
  text: string,
  tag: MachineTag,
): DurableRecord | CodedError {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (cause) {
    return damaged(path, 'it is not JSON', cause);
  }
  if (!isRecord(record)) return damaged(path, 'it is not a record');
  if (record.format > RECORD_FORMAT)
    return newer(path, `format ${record.format}`, `format ${RECORD_FORMAT}`);
  if (record.machine !== tag.machine)
    return journalError(
      'MESH_ERR_JOURNAL_SNAPSHOT_FOREIGN',
      `Continuing ${path} as ${tag.machine} found a record of ${record.machine}.`,
      { details: { path, found: record.machine, wanted: tag.machine } },
    );
  if (isNewer(record.version, tag.version))
    return newer(path, `version ${record.version}`, `version ${tag.version ?? 'none'}`);
  return record;
}

function isRecord(value: unknown): value is DurableRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { format, machine, snapshot, savedAtMs } = value as Partial<DurableRecord>;
  return (
    typeof format === 'number' &&
    typeof machine === 'string' &&
    typeof savedAtMs === 'number' &&
    typeof snapshot === 'object' &&
    snapshot !== null
  );
}

const NUMBERS = /^\d+(\.\d+)*$/;

/** Versions that cannot be ordered are not trusted: any difference counts as newer. */
function isNewer(found: string | undefined, own: string | undefined): boolean {
  if (found === undefined || found === own) return false;
  if (own === undefined || !NUMBERS.test(found) || !NUMBERS.test(own)) return true;
  const mine = own.split('.').map(Number);
  const theirs = found.split('.').map(Number);
  for (let at = 0; at < Math.max(mine.length, theirs.length); at++) {
    const difference = (theirs[at] ?? 0) - (mine[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** A record whose bytes cannot be trusted. */
export const damaged = (path: string, found: string, cause?: unknown): CodedError =>
  journalError('MESH_ERR_JOURNAL_SNAPSHOT_DAMAGED', `Continuing ${path} was refused: ${found}.`, {
    cause,
    details: { path, found },
  });

const newer = (path: string, found: string, known: string): CodedError =>
  journalError(
    'MESH_ERR_JOURNAL_SNAPSHOT_NEWER',
    `Continuing ${path} found ${found}; this program knows ${known}.`,
    { details: { path, found, known } },
  );
