import type { CodedError } from '../../machines/kernel/coded-error.ts';

/** Status by code (RFC 9110 §15); a code without a row is a fault of the relay. */
const STATUS: Readonly<Record<string, number>> = {
  MESH_ERR_RELAY_REQUEST: 400,
  MESH_ERR_RELAY_PROOF: 401,
  MESH_ERR_RELAY_CLOCK: 401,
  MESH_ERR_RELAY_REPLAYED: 401,
  MESH_ERR_RELAY_FORBIDDEN: 403,
  MESH_ERR_RELAY_NOT_FOUND: 404,
  MESH_ERR_RELAY_TOO_LARGE: 413,
  MESH_ERR_RELAY_RATE: 429,
  MESH_ERR_RELAY_BUSY: 503,
  MESH_ERR_RELAY_STORE_UNAVAILABLE: 503,
};

/** The status with which a refusal is answered. */
export const statusOf = ({ code }: CodedError): number => STATUS[code] ?? 500;
