/** Spores: signed packages of one binary. The format is in `layout.ts` and `manifest.schema.ts`. */
export { packSpore } from './pack.ts';
export type { PackOptions, PackedSpore } from './pack.ts';
export { extractSpore, verifySpore } from './verify.ts';
export type { ExtractOptions, ExtractedSpore, VerifyOptions } from './verify.ts';
export { keyId } from './signing.ts';
export type { KeyFile } from './signing.ts';
