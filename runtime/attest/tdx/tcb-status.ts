/** How Intel rates a platform (Intel, PCS v4, "TCB Info" and "Determining TCB status"). */
import { attestError } from '../../../machines/coordinator/attest-errors.ts';
import type { TdxTcbStatus } from '../../../machines/coordinator/evidence.ts';
import type { QeIdentity, TcbInfo } from './collateral.schema.ts';
import type { TdxPlatform } from './platform.ts';
import type { QeReport, TdReport } from './quote.ts';

/** A status, and the security advisories behind it. */
export interface TcbRating {
  readonly status: TdxTcbStatus;
  readonly advisories: readonly string[];
}

/** The TDX module's major version is in component 1; 0 means a module before identities. */
const MODULE_VERSION_AT = 1;
/** With an identity of its own, the module's two components are not compared with the level's. */
const FIRST_PLATFORM_COMPONENT = 2;

/**
 * Rates a quote's platform, module and quoting enclave, and takes the worst. What Intel does not know
 * at all is MESH_ERR_ATTEST_TCB; a wrong signer of module or enclave MESH_ERR_ATTEST_CHAIN.
 */
export function rateTdx(
  parts: { readonly td: TdReport; readonly qe: QeReport; readonly platform: TdxPlatform },
  documents: { readonly tcbInfo: TcbInfo; readonly qeIdentity: QeIdentity },
): TcbRating {
  const ratings = [
    ratePlatform(parts.td, parts.platform, documents.tcbInfo),
    rateModule(parts.td, documents.tcbInfo),
    rateQe(parts.qe, documents.qeIdentity),
  ];
  return {
    status: converge(ratings.map(({ status }) => status)),
    advisories: [...new Set(ratings.flatMap(({ advisories }) => advisories))].toSorted(),
  };
}

/** The level of the platform by its PCK certificate and of the TDX components by the report. */
export function ratePlatform(td: TdReport, platform: TdxPlatform, tcbInfo: TcbInfo): TcbRating {
  const first = td.teeTcbSvn[MODULE_VERSION_AT] === 0 ? 0 : FIRST_PLATFORM_COMPONENT;
  const level = tcbInfo.tcbLevels.find(
    ({ tcb }) =>
      tcb.sgxtcbcomponents.every(({ svn }, at) => (platform.components[at] ?? 0) >= svn) &&
      platform.pceSvn >= tcb.pcesvn &&
      tcb.tdxtcbcomponents.every(({ svn }, at) => at < first || (td.teeTcbSvn[at] ?? 0) >= svn),
  );
  if (level === undefined) throw tcbError('the platform reaches no level that Intel knows');
  return { status: level.tcbStatus, advisories: level.advisoryIDs ?? [] };
}

/** The TDX module by its own identity, from major version 1 on. */
export function rateModule(td: TdReport, tcbInfo: TcbInfo): TcbRating {
  const version = td.teeTcbSvn[MODULE_VERSION_AT] ?? 0;
  const id = `TDX_${version.toString(16).padStart(2, '0')}`;
  const own = tcbInfo.tdxModuleIdentities?.find((one) => one.id.toUpperCase() === id.toUpperCase());
  if (version > 0 && own === undefined) throw tcbError(`TDX module ${id} is not known`);
  const { mrsigner, attributes, attributesMask } = own ?? tcbInfo.tdxModule;
  const masked = maskedHex(td.seamAttributes, attributesMask);
  if (mrsigner.toLowerCase() !== td.mrSignerSeam || attributes.toLowerCase() !== masked)
    throw attestError('MESH_ERR_ATTEST_CHAIN', 'Rating a TDX module: it is not one of Intel.');
  if (own === undefined) return { status: 'UpToDate', advisories: [] };
  const isvSvn = td.teeTcbSvn[0] ?? 0;
  const level = own.tcbLevels.find(({ tcb }) => isvSvn >= tcb.isvsvn);
  if (level === undefined) throw tcbError(`TDX module ${id} reaches no level that Intel knows`);
  return { status: level.tcbStatus, advisories: level.advisoryIDs ?? [] };
}

/** The quoting enclave. */
export function rateQe(qe: QeReport, identity: QeIdentity): TcbRating {
  const isIntels =
    identity.mrsigner.toLowerCase() === qe.mrSigner &&
    identity.isvprodid === qe.isvProdId &&
    maskedHex(qe.miscSelect.toString('hex'), identity.miscselectMask) ===
      identity.miscselect.toLowerCase() &&
    maskedHex(qe.attributes.toString('hex'), identity.attributesMask) ===
      identity.attributes.toLowerCase();
  if (!isIntels)
    throw attestError('MESH_ERR_ATTEST_CHAIN', 'Rating a quoting enclave: it is not one of Intel.');
  const level = identity.tcbLevels.find(({ tcb }) => qe.isvSvn >= tcb.isvsvn);
  if (level === undefined) throw tcbError('the quoting enclave reaches no level that Intel knows');
  return { status: level.tcbStatus, advisories: level.advisoryIDs ?? [] };
}

/** An out-of-date part makes the whole so, and keeps what else the platform needs in its name. */
function converge(statuses: readonly TdxTcbStatus[]): TdxTcbStatus {
  const [platform = 'Revoked', ...parts] = statuses;
  if (statuses.includes('Revoked')) return 'Revoked';
  if (!parts.some((one) => one === 'OutOfDate')) return platform;
  if (platform === 'UpToDate' || platform === 'SWHardeningNeeded') return 'OutOfDate';
  return platform.startsWith('Configuration') ? 'OutOfDateConfigurationNeeded' : platform;
}

/** Byte by byte AND, in lower-case hex. */
function maskedHex(value: string, mask: string): string {
  const masks = Buffer.from(mask, 'hex');
  return Buffer.from(Buffer.from(value, 'hex').map((byte, at) => byte & (masks[at] ?? 0))).toString(
    'hex',
  );
}

const tcbError = (found: string): Error =>
  attestError('MESH_ERR_ATTEST_TCB', `Rating a TDX quote: ${found}.`);
