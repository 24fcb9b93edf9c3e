/**
 * `process` evidence: the node's key says which spore it runs. SOFTWARE ONLY: it proves that whoever
 * holds the key wanted to say this, not that it is so. A manifest that requires hardware refuses it.
 *
 * The bytes are a DSSE v1 envelope (secure-systems-lab/dsse, envelope.md) with one signature, in
 * canonical JSON (RFC 8785), and its payload is canonical JSON as well:
 *
 *     { "binary", "instance", "issuedAtMs", "kind": "ProcessEvidence", "nodeKey", "reportData",
 *       "spore", "version": 1 }
 *
 * Ed25519 signs the pre-authentication encoding with the payload type below, so that no other
 * signature of the same key is evidence. Version history: 1 is the first.
 */
import { createPrivateKey, sign } from 'node:crypto';
import { z } from 'zod';
import type { Issuer } from '../../actors/coordinator/ports/attestation.ts';
import { attestError } from '../../machines/coordinator/attest-errors.ts';
import type { AttestErrorCode } from '../../machines/coordinator/attest-errors.ts';
import { EVIDENCE_TYPES } from '../../machines/coordinator/evidence.ts';
import type { ProcessClaims } from '../../machines/coordinator/evidence.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { preAuthEncoding } from '../../machines/workload/dsse.ts';
import { parseStrictJsonBytes } from '../../machines/workload/strict-json.ts';
import { canonicalJsonBytes } from '../spore/canonical-json.ts';
import { keyId } from '../spore/signing.ts';
import type { KeyFile } from '../spore/signing.ts';
import { verifyEd25519 } from '../workers/ed25519.ts';

const PAYLOAD_TYPE = 'application/vnd.mycelium-mesh.process-evidence.v1+json';
/** Bytes of an envelope: the payload has some 500, and base64 a third more. */
const ENVELOPE_BYTES_MAX = 4096;

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const statementSchema = z.strictObject({
  kind: z.literal('ProcessEvidence'),
  version: z.literal(1),
  nodeKey: hex(32),
  spore: hex(32),
  binary: hex(32),
  instance: z.string().min(1).max(128),
  reportData: hex(64),
  issuedAtMs: z.int().min(0),
});
const envelopeSchema = z.strictObject({
  payload: z.base64(),
  payloadType: z.literal(PAYLOAD_TYPE),
  signatures: z.tuple([z.strictObject({ keyid: hex(32), sig: z.base64().length(88) })]),
});

/** What a node says of an instance that it launches. */
export interface ProcessFacts {
  /** Digest of the spore, 64 lower-case hex digits. */
  readonly spore: string;
  /** SHA-256 of the binary, 64 lower-case hex digits. */
  readonly binary: string;
  readonly instance: string;
}

/** A believed statement, and the report data that it was made for. */
export interface VerifiedProcessEvidence {
  readonly claims: ProcessClaims;
  readonly reportData: Buffer;
}

/** An issuer that signs with the node's key. It says `isHardware: false` wherever it is believed. */
export function createProcessIssuer(
  key: Pick<KeyFile, 'publicKey' | 'secretKey'>,
  facts: ProcessFacts,
  clock: Pick<Clock, 'now'>,
): Issuer {
  const d = Buffer.from(key.secretKey.subarray(0, 32)).toString('base64url');
  const x = Buffer.from(key.publicKey).toString('base64url');
  const jwk = { kty: 'OKP', crv: 'Ed25519', d, x };
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  const about = {
    kind: 'ProcessEvidence',
    version: 1,
    nodeKey: Buffer.from(key.publicKey).toString('hex'),
    spore: facts.spore,
    binary: facts.binary,
    instance: facts.instance,
  };
  const keyid = keyId(key.publicKey);
  return {
    type: EVIDENCE_TYPES.process,
    issue: async (reportData) => {
      const bound = {
        reportData: Buffer.from(reportData).toString('hex'),
        issuedAtMs: clock.now(),
      };
      const payload = canonicalJsonBytes(statementSchema.parse({ ...about, ...bound }));
      const signature = sign(null, preAuthEncoding(PAYLOAD_TYPE, payload), privateKey);
      const bytes = canonicalJsonBytes({
        payload: Buffer.from(payload).toString('base64'),
        payloadType: PAYLOAD_TYPE,
        signatures: [{ keyid, sig: signature.toString('base64') }],
      });
      return { type: EVIDENCE_TYPES.process, bytes };
    },
  };
}

/**
 * Verifies the envelope under the key that it names; whether that key counts is the manifest's to
 * say. MESH_ERR_ATTEST_MALFORMED, MESH_ERR_ATTEST_SIGNATURE.
 */
export function verifyProcessEvidence(bytes: Uint8Array): VerifiedProcessEvidence {
  if (bytes.length > ENVELOPE_BYTES_MAX)
    throw processError('MESH_ERR_ATTEST_MALFORMED', `it has ${bytes.length} bytes`);
  const envelope = parseCanonical(envelopeSchema, bytes, 'its envelope');
  const payload = Buffer.from(envelope.payload, 'base64');
  const statement = parseCanonical(statementSchema, payload, 'its statement');
  const publicKey = Buffer.from(statement.nodeKey, 'hex');
  const [{ keyid, sig }] = envelope.signatures;
  if (keyid !== keyId(publicKey))
    throw processError('MESH_ERR_ATTEST_MALFORMED', 'its key id is of another key');
  const signature = Buffer.from(sig, 'base64');
  if (!verifyEd25519(publicKey, preAuthEncoding(PAYLOAD_TYPE, payload), signature))
    throw processError('MESH_ERR_ATTEST_SIGNATURE', 'its node key did not sign it');
  const { nodeKey, spore, binary, instance, issuedAtMs } = statement;
  return {
    claims: { nodeKey, spore, binary, instance, issuedAtMs },
    reportData: Buffer.from(statement.reportData, 'hex'),
  };
}

/** One form for one content: a signature over bytes that could also be written otherwise is refused. */
function parseCanonical<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
  what: string,
): z.output<Schema> {
  let value: unknown;
  try {
    value = parseStrictJsonBytes(bytes);
  } catch (cause) {
    throw processError('MESH_ERR_ATTEST_MALFORMED', `${what} is not strict JSON`, cause);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success || !Buffer.from(canonicalJsonBytes(value)).equals(bytes))
    throw processError('MESH_ERR_ATTEST_MALFORMED', `${what} is not in its one form`);
  return parsed.data;
}

function processError(code: AttestErrorCode, found: string, cause?: unknown): Error {
  return attestError(code, `Verifying process evidence: ${found}.`, { cause });
}
