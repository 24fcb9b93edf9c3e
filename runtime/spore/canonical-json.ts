import canonicalize from 'canonicalize';

const utf8 = new TextEncoder();

/**
 * The RFC 8785 (JCS) form of a JSON value: sorted keys, no white space, ECMAScript numbers. Throws a
 * plain error for what JSON cannot say, which is a fault of the program: values come from the strict
 * parser or from a schema.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (typeof text !== 'string') throw new TypeError('The value has no JSON form.');
  return text;
}

/** The UTF-8 bytes of the canonical form. */
export const canonicalJsonBytes = (value: unknown): Uint8Array => utf8.encode(canonicalJson(value));
