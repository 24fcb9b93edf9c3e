/** How records become rows: fields are columns, what is nested is JSON text. */
import type { Parameters } from './database.ts';

export function upsertSql(table: string, keys: string[], columns: string[]): string {
  const values = columns.map((column) => `:${column}`).join(', ');
  const updates = columns
    .filter((column) => !keys.includes(column))
    .map((column) => `${column} = excluded.${column}`)
    .join(', ');
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values})
    ON CONFLICT (${keys.join(', ')}) DO UPDATE SET ${updates}`;
}

export function encoded(record: object): Parameters {
  return Object.fromEntries(
    Object.entries(record).map(([field, value]) => [
      field,
      typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
    ]),
  );
}

/** Turns the JSON text of `field` back into what it was. */
export function decoded<Row extends object>(row: Row, field: keyof Row): Row {
  const text = row[field];
  return typeof text === 'string' ? { ...row, [field]: JSON.parse(text) } : row;
}
