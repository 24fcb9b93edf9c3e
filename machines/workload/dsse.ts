const ascii = new TextEncoder();

/**
 * The pre-authentication encoding of DSSE v1: the bytes that are signed in place of the payload, so
 * that a signature for one type of payload is none for another.
 *
 *     "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body      (LEN in bytes, decimal ASCII)
 *
 * Source: secure-systems-lab/dsse, protocol.md, "Signature Definition".
 */
export function preAuthEncoding(payloadType: string, body: Uint8Array): Uint8Array {
  const type = ascii.encode(payloadType);
  const before = ascii.encode(`DSSEv1 ${type.length} ${payloadType} ${body.length} `);
  const encoded = new Uint8Array(before.length + body.length);
  encoded.set(before);
  encoded.set(body, before.length);
  return encoded;
}
