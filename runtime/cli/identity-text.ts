import type { InstanceRow } from '../control/mesh-control.ts';
import { duration } from './format.ts';

/** A mesh certificate in a cell of a table: `workload/hello, 23h 50m`. */
export function identityText({ identity }: InstanceRow, nowMs: number): string {
  if (identity === null) return '-';
  const { spiffeId, state, notAfter } = identity;
  if (spiffeId === null || notAfter === null) return state;
  const name = spiffeId.replace(/^spiffe:\/\/[^/]+\//, '');
  if (state === 'expired') return `${name}, expired`;
  const left = duration(Date.parse(notAfter) - nowMs);
  return state === 'valid' ? `${name}, ${left}` : `${name}, ${left}, ${state}`;
}

/** Whether a table has something to say of certificates. */
export const hasIdentities = (rows: readonly InstanceRow[]): boolean =>
  rows.some(({ identity }) => identity !== null);
