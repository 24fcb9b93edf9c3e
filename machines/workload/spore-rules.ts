/**
 * Whom to trust and what to allow: the two checks of a spore that are decisions, not arithmetic.
 * Reading, hashing and verifying are left to `runtime/spore/`.
 */
import type { SporeManifest } from './manifest.schema.ts';

/** The checks of a spore in the order in which they are made. */
export const SPORE_CHECKS = ['format', 'digest', 'signature', 'trust', 'policy'] as const;

export type SporeCheckName = (typeof SPORE_CHECKS)[number];

/** A key that may sign spores. */
export interface TrustEntry {
  /** SHA-256 of the raw public key, lower-case hex. */
  readonly id: string;
  /** Lower-case hex of the 32 bytes. */
  readonly publicKey: string;
  readonly name: string;
  /** The one app it may sign for; absent: any. */
  readonly app?: string;
}

/** Whether some entry trusts `publicKey` (lower-case hex) for `app`. */
export function isTrustedBy(
  entries: readonly TrustEntry[],
  publicKey: string,
  app: string,
): boolean {
  return entries.some(
    (entry) => entry.publicKey === publicKey && (entry.app === undefined || entry.app === app),
  );
}

/** What a node allows and what it can enforce. An absent limit does not limit. */
export interface SporePolicy {
  readonly cpuMilliMax?: number;
  readonly memoryMbMax?: number;
  /** Bytes of the binary when inflated. */
  readonly binaryBytesMax?: number;
  /** Programs besides `{binary}` that `runtime.command` may name; absent: any on PATH. */
  readonly commands?: readonly string[];
  /** LSM profiles that the launcher really applies; default none. A repo that runs nothing: any. */
  readonly lsmProfiles?: readonly string[] | 'any';
  /** The launcher really gives a read-only file system; default false. */
  readonly readOnlyFs?: boolean;
}

/** Every objection of `policy` to a manifest, as sentences; none means allowed. */
export function policyObjections(manifest: SporeManifest, policy: SporePolicy): string[] {
  const { nutrients, security, integrity } = manifest;
  const { command } = manifest.runtime;
  const objections = [
    overLimit('nutrients.cpu_milli', nutrients.cpu_milli, policy.cpuMilliMax),
    overLimit('nutrients.memory_mb', nutrients.memory_mb, policy.memoryMbMax),
    overLimit('integrity.binary_size', integrity.binary_size, policy.binaryBytesMax),
    command === '{binary}' || (policy.commands?.includes(command) ?? true)
      ? undefined
      : `runtime.command "${command}" is not among the allowed programs`,
    hasProfile(policy, security.lsm_profile)
      ? undefined
      : `security.lsm_profile "${security.lsm_profile}" is not enforced here`,
    security.read_only_fs && policy.readOnlyFs !== true
      ? 'security.read_only_fs is not enforced here'
      : undefined,
  ];
  return objections.filter((objection) => objection !== undefined);
}

function hasProfile({ lsmProfiles = [] }: SporePolicy, profile: string): boolean {
  return profile === '' || lsmProfiles === 'any' || lsmProfiles.includes(profile);
}

function overLimit(field: string, asked: number, limit: number | undefined): string | undefined {
  return limit === undefined || asked <= limit
    ? undefined
    : `${field} is ${asked}, above the limit of ${limit}`;
}
