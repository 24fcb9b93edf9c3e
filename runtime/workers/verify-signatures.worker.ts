/** Verdicts on a batch of Ed25519 signatures. */
import { verifyEd25519 } from './ed25519.ts';
import { unpackChecks } from './signature-batch.ts';

/** From a packed batch to one byte per check, 1 for valid. */
export function run(packed: ArrayBuffer): Uint8Array {
  const checks = unpackChecks(packed);
  return Uint8Array.from(checks, ({ publicKey, signature, message }) =>
    verifyEd25519(publicKey, message, signature) ? 1 : 0,
  );
}
