/**
 * The HKDF labels of the seed engine, version 1. A label is
 *
 *     offset 0   23 bytes   "mycelium-mesh/seed/v1\0" and the length of the purpose
 *     then       purpose    ASCII
 *     then       2 bytes    length of the id, big-endian
 *     then       id         UTF-8
 *
 * Both lengths are written, so no purpose with one id is ever another purpose with another id.
 */

/** What keys and secrets are derived for. */
export const SEED_PURPOSES = [
  'root-ca-key',
  'root-ca-serial',
  'transaction-signing-key',
  'workload-secret',
  'transit-key',
] as const;

export type SeedPurpose = (typeof SEED_PURPOSES)[number];

/** UTF-8 bytes of an id; the manifest allows 128 characters. */
export const LABEL_ID_BYTES_MAX = 1024;

const DOMAIN = Buffer.from('mycelium-mesh/seed/v1\0');

/** The info parameter of HKDF for one purpose and id. Throws a plain error for an id too long. */
export function seedLabel(purpose: SeedPurpose, id = ''): Buffer {
  const name = Buffer.from(purpose);
  const text = Buffer.from(id);
  if (text.length > LABEL_ID_BYTES_MAX) throw new RangeError('The id of a label is too long.');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([DOMAIN, Buffer.of(name.length), name, length, text]);
}
