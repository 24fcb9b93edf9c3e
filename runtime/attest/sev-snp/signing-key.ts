/**
 * What the certificate of a VCEK or VLEK says of the chip and its firmware (AMD, "Versioned Chip
 * Endorsement Key (VCEK) Certificate and KDS Interface Specification", 57230, table "Extensions").
 */
import type { X509Certificate } from 'node:crypto';
import type { SnpProduct, SnpTcb } from '../../../machines/coordinator/evidence.ts';
import { DerReader } from '../der.ts';

const AMD = '1.3.6.1.4.1.3704.1';
const PRODUCT_NAME = `${AMD}.2`;
const HARDWARE_ID = `${AMD}.4`;
const SVN: Readonly<Record<keyof SnpTcb, string>> = {
  bootloader: `${AMD}.3.1`,
  tee: `${AMD}.3.2`,
  snp: `${AMD}.3.3`,
  microcode: `${AMD}.3.8`,
  fmc: `${AMD}.3.9`,
};
const PRODUCTS: readonly SnpProduct[] = ['Milan', 'Genoa', 'Turin'];
/** Bytes of a hardware id; Turin's is short and padded with zeros in the report. */
const HARDWARE_ID_BYTES: ReadonlySet<number> = new Set([8, 64]);

/** The key that signs reports, as its certificate describes it. */
export interface SnpKeyFacts {
  readonly kind: 'vcek' | 'vlek';
  readonly product: SnpProduct;
  readonly tcb: SnpTcb;
  /** 128 digits, filled up with zeros; `undefined` for a VLEK, which is no chip's. */
  readonly chipId: string | undefined;
}

/** Reads the facts; MESH_ERR_ATTEST_MALFORMED. */
export async function snpKeyFactsOf(certificate: X509Certificate): Promise<SnpKeyFacts> {
  const der: DerReader = await DerReader.load('the certificate of an SEV-SNP signing key');
  const extensions = der.extensions(certificate.raw);
  const valueOf = (oid: string): Buffer => extensions.get(oid) ?? der.fail(`${oid} is missing`);
  const svn = (part: keyof SnpTcb): number => {
    const value = der.integer(der.parse(valueOf(SVN[part])));
    return value <= 255 ? value : der.fail(`${part} version ${value} is no byte`);
  };
  const name = der.bytes(der.parse(valueOf(PRODUCT_NAME))).toString('latin1');
  const product = PRODUCTS.find((one) => name === one || name.startsWith(`${one}-`));
  if (product === undefined) der.fail('its product is not known');
  const kind = kindOf(certificate) ?? der.fail('its subject is neither SEV-VCEK nor SEV-VLEK');
  return {
    kind,
    product,
    tcb: {
      fmc: product === 'Turin' ? svn('fmc') : 0,
      bootloader: svn('bootloader'),
      tee: svn('tee'),
      snp: svn('snp'),
      microcode: svn('microcode'),
    },
    chipId: kind === 'vlek' ? undefined : chipIdOf(der, valueOf(HARDWARE_ID)),
  };
}

function kindOf({ subject }: X509Certificate): SnpKeyFacts['kind'] | undefined {
  const lines = subject.split('\n');
  if (lines.includes('CN=SEV-VCEK')) return 'vcek';
  return lines.includes('CN=SEV-VLEK') ? 'vlek' : undefined;
}

/** KDS writes the id bare; DER would have it in an OCTET STRING, so both are read. */
function chipIdOf(der: DerReader, value: Buffer): string {
  const id = HARDWARE_ID_BYTES.has(value.length) ? value : der.octets(der.parse(value));
  if (!HARDWARE_ID_BYTES.has(id.length)) der.fail(`its hardware id has ${id.length} bytes`);
  return id.toString('hex').padEnd(128, '0');
}
