import type { SnpProduct } from '../../../machines/coordinator/evidence.ts';

/**
 * AMD's root keys: SHA-256 of the DER of each ARK certificate, as AMD's key distribution service
 * (kdsintf.amd.com/vcek/v1/PRODUCT/cert_chain) serves them. VCEK and VLEK chains share them.
 */
export const AMD_ROOTS: ReadonlyMap<string, SnpProduct> = new Map([
  ['69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd', 'Milan'],
  ['4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1', 'Genoa'],
  ['1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a', 'Turin'],
]);
