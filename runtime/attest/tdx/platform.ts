/**
 * What a PCK certificate says of the platform (Intel, "SGX PCK Certificate and Certificate
 * Revocation List Profile Specification", §1.3.5).
 */
import type { X509Certificate } from 'node:crypto';
import { DerReader } from '../der.ts';
import type { Der } from '../der.ts';

const SGX = '1.2.840.113741.1.13.1';
const TCB = `${SGX}.2`;
const PCE_SVN = `${TCB}.17`;
const PCE_ID = `${SGX}.3`;
const FMSPC = `${SGX}.4`;
const COMPONENTS = 16;

/** The platform that a PCK certificate was issued for. */
export interface TdxPlatform {
  /** Family, model, stepping, platform, custom SKU: 12 lower-case hex digits. */
  readonly fmspc: string;
  readonly pceId: string;
  readonly pceSvn: number;
  /** 16 security versions. */
  readonly components: readonly number[];
}

/** Reads them; MESH_ERR_ATTEST_MALFORMED. */
export async function tdxPlatformOf(certificate: X509Certificate): Promise<TdxPlatform> {
  const der: DerReader = await DerReader.load('a PCK certificate');
  const extension = der.extensions(certificate.raw).get(SGX) ?? der.fail('it says nothing of SGX');
  const facts = pairsOf(der, der.parse(extension));
  const tcb = pairsOf(der, facts.get(TCB));
  const components = Array.from({ length: COMPONENTS }, (_, at) =>
    der.integer(tcb.get(`${TCB}.${at + 1}`)),
  );
  return {
    fmspc: der.octets(facts.get(FMSPC)).toString('hex'),
    pceId: der.octets(facts.get(PCE_ID)).toString('hex'),
    pceSvn: der.integer(tcb.get(PCE_SVN)),
    components,
  };
}

/** SEQUENCE OF SEQUENCE { id OBJECT IDENTIFIER, value ANY }. */
const pairsOf = (der: DerReader, node: Der | undefined): ReadonlyMap<string, Der> =>
  new Map(
    der.children(node).map((pair) => {
      const [id, value] = der.children(pair);
      return [der.oid(id), value ?? der.fail('a field has no value')];
    }),
  );
