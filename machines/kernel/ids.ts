/** SHA-256 of a file's bytes, 64 lower-case hex digits. */
export type Digest = string & { readonly __brand: 'Digest' };

const DIGEST = /^[0-9a-f]{64}$/;
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export const isDigest = (text: string): text is Digest => DIGEST.test(text);

/** The name of an app, a spore or a node: one DNS label (RFC 1123 §2.1), lower case. */
export const isName = (text: string): boolean => NAME.test(text);
