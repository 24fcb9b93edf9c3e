/**
 * Evidence of hardware as it crosses a wire: strict JSON around the vendor's own bytes, so that
 * nothing here needs to know how they are laid out. `x5c` is base64 DER, leaf first (RFC 7515
 * §4.1.6).
 *
 *     sev-snp   { "report": base64, "x5c": [VCEK or VLEK, AMD's intermediate, AMD's root] }
 *     tdx       { "quote": base64, "collateral": { … } }    without collateral, the verifier's own
 */
import { z } from 'zod';
import { attestError } from '../../machines/coordinator/attest-errors.ts';
import { parseStrictJsonBytes } from '../../machines/workload/strict-json.ts';
import { tdxCollateralSchema } from './tdx/collateral.schema.ts';

const base64 = (textMax: number) => z.base64().min(4).max(textMax);

/** A report and its certificates. */
export const snpEvidenceSchema = z.strictObject({
  report: base64(2048),
  x5c: z.array(base64(4096)).length(3),
});

/** A quote, with what Intel says of its platform if the attester fetched it. */
export const tdxEvidenceSchema = z.strictObject({
  quote: base64(48 * 1024),
  collateral: tdxCollateralSchema.exactOptional(),
});

export type SnpEvidence = z.output<typeof snpEvidenceSchema>;
export type TdxEvidence = z.output<typeof tdxEvidenceSchema>;

/** Reads either; MESH_ERR_ATTEST_MALFORMED. */
export function parseHardwareEvidence<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
): z.output<Schema> {
  let value: unknown;
  try {
    value = parseStrictJsonBytes(bytes);
  } catch (cause) {
    const found = 'Reading evidence of hardware: it is not strict JSON.';
    throw attestError('MESH_ERR_ATTEST_MALFORMED', found, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw attestError(
    'MESH_ERR_ATTEST_MALFORMED',
    `Reading evidence of hardware: ${places.slice(0, 5).join('; ')}.`,
  );
}
