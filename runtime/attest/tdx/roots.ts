/** Intel's SGX root: SHA-256 of the DER that certificates.trustedservices.intel.com serves. */
export const INTEL_ROOTS: ReadonlySet<string> = new Set([
  '44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3',
]);
