/**
 * The manifest of a mesh, version 1: who may join it and under which names, who may change it, who
 * can recover it, and what evidence must show. On disk and on the wire it is strict JSON; what
 * counts are its exact bytes, whose SHA-256 is in the transition.
 *
 * Version history: 1 is the first.
 */
import { z } from 'zod';
import type { CodedError } from '../kernel/coded-error.ts';
import { coordinatorError } from './errors.ts';
import type { AttestedClaims } from './evidence.ts';

/** Bytes of a manifest: a thousand policies with long names. */
export const MESH_MANIFEST_BYTES_MAX = 256 * 1024;
/** Bytes of one policy document given along with a manifest. */
export const POLICY_BYTES_MAX = 256 * 1024;
/** Policies of one manifest. */
export const POLICIES_MAX = 1024;
/** Names of one policy: certificates with more are refused by some TLS stacks. */
export const SAN_MAX = 32;

const FINDINGS_MAX = 20;
const KEYS_MAX = 16;
const REFERENCES_MAX = 64;
const NODE_KEYS_MAX = 1024;

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `is not ${bytes} bytes in lower hex`);
const isUnique = (list: readonly string[]): boolean => new Set(list).size === list.length;
const UNIQUE = { message: 'names one twice' };

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const NAME = new RegExp(`^${LABEL}$`);
/** RFC 1123 §2.1; no wildcard: it would let one workload speak for another. */
const HOST = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);
/** A host whose last label is a number reads as an IPv4 address to some (RFC 3696 §2). */
const isHost = (text: string): boolean => HOST.test(text) && !/(?:^|\.)\d+$/.test(text);
const isAddress = (text: string): boolean =>
  z.ipv4().safeParse(text).success || z.ipv6().safeParse(text).success;

/** Whether a text can stand in a certificate as a DNS name or an address. */
export const isUsableSan = (text: string): boolean => isHost(text) || isAddress(text);
export const isAddressSan = (text: string): boolean => isAddress(text);

const policy = z.strictObject({
  /** Names the workload in its SPIFFE ID. */
  name: z.string().regex(NAME, 'is not a DNS label in lower case'),
  /** The edge is the proxy of a mesh; its policy is keyed by `EDGE_IDENTITY`. */
  role: z.enum(['workload', 'coordinator', 'edge']),
  san: z
    .array(z.string().refine(isUsableSan, 'is neither a host name nor an address'))
    .min(1, 'has no subject alternative name')
    .max(SAN_MAX)
    .refine(isUnique, UNIQUE),
  workloadSecretId: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/, 'is not the id of a secret')
    .exactOptional(),
  /**
   * Node keys whose `process` evidence may prove this identity; default all of the reference values.
   * Without it any node could prove to be a Coordinator, and be given the seed.
   */
  nodeKeys: z.array(hex(32)).min(1).max(NODE_KEYS_MAX).refine(isUnique, UNIQUE).exactOptional(),
});

const svn = z.int().min(0).max(255);
const sevSnp = z.strictObject({
  product: z.enum(['Milan', 'Genoa', 'Turin']),
  measurement: hex(48),
  minimumTcb: z.strictObject({ bootloader: svn, tee: svn, snp: svn, microcode: svn }),
  chipIds: z.array(hex(64)).max(REFERENCES_MAX).exactOptional(),
});
const tdx = z.strictObject({
  mrTd: hex(48),
  rtMrs: z.tuple([hex(48), hex(48), hex(48), hex(48)]),
  mrSeam: hex(48).exactOptional(),
  xfam: hex(8),
  tcbStatuses: z
    .array(z.enum(['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'OutOfDate']))
    .min(1)
    .refine(isUnique, UNIQUE),
});

const referenceValues = z
  .strictObject({
    /** Node keys (Ed25519) whose `process` evidence counts. It proves software only. */
    process: z
      .strictObject({
        nodeKeys: z.array(hex(32)).min(1).max(NODE_KEYS_MAX).refine(isUnique, UNIQUE),
      })
      .exactOptional(),
    sevSnp: z.array(sevSnp).min(1).max(REFERENCES_MAX).exactOptional(),
    tdx: z.array(tdx).min(1).max(REFERENCES_MAX).exactOptional(),
    /** With `required`, evidence of software is refused. */
    hardware: z.enum(['required', 'optional']),
  })
  .refine(({ process, sevSnp, tdx }) => Boolean(process ?? sevSnp ?? tdx), {
    message: 'accepts no evidence at all',
  })
  .refine(({ process, hardware }) => hardware === 'optional' || process === undefined, {
    message: 'requires hardware and names process evidence',
  });

/** RSA public keys: SubjectPublicKeyInfo, canonical base64. Their size is checked where they are used. */
const rsaKey = z.base64().min(300).max(1600);

/** The whole manifest; unknown fields are refused at every level. */
export const meshManifestSchema = z.strictObject({
  kind: z.literal('MeshManifest'),
  version: z.literal(1),
  trustDomain: z.string().max(255).refine(isHost, 'is not a trust domain'),
  /** By the identity that evidence proves: the digest of a spore, or the host data of a guest. */
  policies: z
    .record(hex(32), policy)
    .refine((all) => Object.keys(all).length > 0, 'has no policy')
    .refine((all) => Object.keys(all).length <= POLICIES_MAX, `has over ${POLICIES_MAX} policies`),
  /** SHA-256 of the SubjectPublicKeyInfo of those who may set the next manifest. */
  workloadOwnerKeyDigests: z.array(hex(32)).max(KEYS_MAX).refine(isUnique, UNIQUE),
  seedShareOwnerKeys: z.array(rsaKey).min(1).max(KEYS_MAX).refine(isUnique, UNIQUE),
  referenceValues,
});

/** A manifest that passed every check. */
export type MeshManifest = z.output<typeof meshManifestSchema>;
/** What the manifest grants one identity. */
export type MeshPolicy = MeshManifest['policies'][string];
/** What evidence must show. */
export type ReferenceValues = MeshManifest['referenceValues'];

/** Checks a manifest; MESH_ERR_COORDINATOR_MANIFEST_INVALID with every finding. */
export function parseMeshManifest(value: unknown): MeshManifest {
  const parsed = meshManifestSchema.safeParse(value);
  if (!parsed.success) throw manifestError(parsed.error);
  return parsed.data;
}

/** The policy of an identity; `undefined` where the manifest names none. */
export const policyOf = (manifest: MeshManifest, identity: string): MeshPolicy | undefined =>
  Object.hasOwn(manifest.policies, identity) ? manifest.policies[identity] : undefined;

/**
 * The policy that sound evidence is given: that of its identity, if `process` evidence of it is by a
 * node key that the policy accepts.
 */
export function policyFor(
  manifest: MeshManifest,
  proven: { readonly identity: string; readonly attested?: AttestedClaims },
): MeshPolicy | undefined {
  const policy = policyOf(manifest, proven.identity);
  const keys = policy?.nodeKeys;
  if (keys === undefined) return policy;
  const { attested } = proven;
  if (attested === undefined) return undefined;
  return attested.kind !== 'process' || keys.includes(attested.claims.nodeKey) ? policy : undefined;
}

/** The one SPIFFE ID of a policy (SPIFFE ID §2): names are labels, so nothing needs escaping. */
export const spiffeIdOf = ({ trustDomain }: MeshManifest, { role, name }: MeshPolicy): string =>
  `spiffe://${trustDomain}/${role}/${name}`;

function manifestError(error: z.ZodError): CodedError {
  const findings = error.issues.map((issue) => {
    const place = issue.path.map(String).join('.') || 'the manifest';
    return `${place}: ${issue.message}`;
  });
  const listed = findings.slice(0, FINDINGS_MAX);
  const more = findings.length - listed.length;
  return coordinatorError(
    'MESH_ERR_COORDINATOR_MANIFEST_INVALID',
    `Reading a mesh manifest: ${listed.join('; ')}${more > 0 ? `; ${more} more` : ''}.`,
    { details: { findings: listed } },
  );
}
