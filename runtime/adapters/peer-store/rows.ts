/** Values of rows, and back. */
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';
import { UnsoundFile } from '../sqlite/damage.ts';
import type { GroupDatabase } from '../sqlite/group-database.ts';

export type Row = Readonly<Record<string, unknown>>;

/** Octets of hex digits. */
export const octets = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** Hex digits of an id that its index has: six octets, which a safe integer holds. */
const PREFIX_DIGITS = 12;

/** What the index of ids has of one. */
export const prefixOf = (id: string): number => Number.parseInt(id.slice(0, PREFIX_DIGITS), 16);

/** Whether a verified message is there. */
export const hasMessage = (db: GroupDatabase, id: string, bytes: Uint8Array): boolean =>
  db.get('SELECT 1 AS one FROM messages WHERE prefix = ? AND id = ?', prefixOf(id), bytes) !==
  undefined;

/** Hex digits of a column of octets. */
export function hexIn(row: Row, column: string): string {
  const bytes = row[column];
  if (!(bytes instanceof Uint8Array)) throw new UnsoundFile(`${column} holds no octets`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

export const numberIn = (row: Row, column: string): number => row[column] as number;
export const textIn = (row: Row, column: string): string => row[column] as string;
export const numberOrNull = (row: Row, column: string): number | null =>
  row[column] as number | null;
export const textOrNull = (row: Row, column: string): string | null => row[column] as string | null;

/** What was written as the canonical text of a checked envelope. */
export function envelopeOf(text: unknown): Envelope {
  try {
    return JSON.parse(text as string) as Envelope;
  } catch (cause) {
    throw new UnsoundFile('a stored envelope is no JSON', { cause });
  }
}

/** A number that only grows; 0 before its first use. */
export const counter = (db: GroupDatabase, name: string): number =>
  Number(db.get('SELECT value FROM counters WHERE name = ?', name)?.['value'] ?? 0);

export function setCounter(db: GroupDatabase, name: string, value: number): void {
  db.run(
    'INSERT INTO counters (name, value) VALUES (?, ?) ' +
      'ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    name,
    value,
  );
}

/** Rows of one of the tables. */
export const countIn = (db: GroupDatabase, table: string): number =>
  Number(db.get(`SELECT count(*) AS rows FROM ${table}`)?.['rows'] ?? 0);
