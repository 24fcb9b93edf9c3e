/**
 * What Intel publishes for judging quotes (Intel, "API Documentation: Trusted Services", PCS v4):
 * TCB information of a platform, the identity of the quoting enclave, revocation lists. Unknown
 * fields are allowed, as Intel adds some within a version; what is used here is checked.
 */
import { z } from 'zod';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`));
const time = z.iso.datetime();
const status = z.enum([
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
]);
const advisoryIDs = z.array(z.string().max(64)).max(512).optional();
const components = z.array(z.object({ svn: z.int().min(0).max(255) })).length(16);
const isvLevels = z
  .array(z.object({ tcb: z.object({ isvsvn: z.int().min(0) }), tcbStatus: status, advisoryIDs }))
  .max(64);

const moduleIdentity = z.object({ mrsigner: hex(48), attributes: hex(8), attributesMask: hex(8) });

/** Levels come newest first; the first that a platform reaches is its own. */
export const tcbInfoSchema = z.object({
  id: z.literal('TDX'),
  version: z.literal(3),
  issueDate: time,
  nextUpdate: time,
  fmspc: hex(6),
  pceId: hex(2),
  tdxModule: moduleIdentity,
  tdxModuleIdentities: z
    .array(moduleIdentity.extend({ id: z.string().max(32), tcbLevels: isvLevels }))
    .max(64)
    .optional(),
  tcbLevels: z
    .array(
      z.object({
        tcb: z.object({
          sgxtcbcomponents: components,
          pcesvn: z.int().min(0),
          tdxtcbcomponents: components,
        }),
        tcbStatus: status,
        advisoryIDs,
      }),
    )
    .max(64),
});

/** The enclave that may sign quotes. */
export const qeIdentitySchema = z.object({
  id: z.literal('TD_QE'),
  version: z.literal(2),
  issueDate: time,
  nextUpdate: time,
  miscselect: hex(4),
  miscselectMask: hex(4),
  attributes: hex(16),
  attributesMask: hex(16),
  mrsigner: hex(32),
  isvprodid: z.int().min(0),
  tcbLevels: isvLevels,
});

const base64 = z.base64();
const pemChain = z.string().max(16_384);

/**
 * All that goes with one quote, with the field names that quote verification libraries use. The two
 * documents are their exact text, as that is what is signed; signatures are r ‖ s in hex; lists are
 * DER in base64.
 */
export const tdxCollateralSchema = z.strictObject({
  tcbInfo: z.string().max(65_536),
  tcbInfoSignature: hex(64),
  qeIdentity: z.string().max(65_536),
  qeIdentitySignature: hex(64),
  /** PEM: Intel's TCB signing certificate, then Intel's root. Both documents are signed by it. */
  signerChain: pemChain,
  pckCrl: base64,
  rootCrl: base64,
});

export type TcbInfo = z.output<typeof tcbInfoSchema>;
export type QeIdentity = z.output<typeof qeIdentitySchema>;
/** What Intel publishes for one platform. */
export type TdxCollateral = z.output<typeof tdxCollateralSchema>;
