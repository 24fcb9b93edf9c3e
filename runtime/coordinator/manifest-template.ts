import { createHash } from 'node:crypto';
import { COORDINATOR_IDENTITY, EDGE_IDENTITY } from '../../machines/coordinator/identities.ts';
import { parseMeshManifest, policyOf } from '../../machines/coordinator/mesh-manifest.schema.ts';
import type { MeshManifest } from '../../machines/coordinator/mesh-manifest.schema.ts';

/** Whom a first manifest names. Keys are 64 hex digits, or SubjectPublicKeyInfo where that is said. */
export interface ManifestTemplate {
  readonly trustDomain: string;
  /** Node keys of Coordinators; nobody else may prove to be one. */
  readonly coordinatorKeys: readonly string[];
  /** Node keys of the agents. */
  readonly nodeKeys: readonly string[];
  /** Spores that get certificates: their digest, and the name of their app. */
  readonly workloads: readonly { readonly digest: string; readonly app: string }[];
  /** SubjectPublicKeyInfo, DER. */
  readonly workloadOwner: Uint8Array;
  /** SubjectPublicKeyInfo, DER. */
  readonly seedShareOwner: Uint8Array;
}

const LOCAL = ['localhost', '127.0.0.1'];

/**
 * A manifest for one machine: its Coordinators, its edge and its spores, all by process evidence.
 * MESH_ERR_COORDINATOR_MANIFEST_INVALID for a part that cannot be in one.
 */
export function manifestOf(template: ManifestTemplate): MeshManifest {
  const { trustDomain, coordinatorKeys, nodeKeys, workloads } = template;
  const agents = unique(nodeKeys);
  const byAgents = agents.length > 0 ? { nodeKeys: agents } : {};
  const spores = workloads.map((one) => [one.digest, policyFor(one, trustDomain, agents)]);
  const edge = { name: 'edge', role: 'edge', san: ['edge', ...LOCAL], ...byAgents };
  return parseMeshManifest({
    kind: 'MeshManifest',
    version: 1,
    trustDomain,
    policies: {
      [COORDINATOR_IDENTITY]: {
        name: 'coordinator',
        role: 'coordinator',
        san: ['coordinator', ...LOCAL],
        nodeKeys: unique(coordinatorKeys),
      },
      ...(agents.length > 0 && { [EDGE_IDENTITY]: edge }),
      ...Object.fromEntries(spores),
    },
    workloadOwnerKeyDigests: [createHash('sha256').update(template.workloadOwner).digest('hex')],
    seedShareOwnerKeys: [Buffer.from(template.seedShareOwner).toString('base64')],
    referenceValues: {
      process: { nodeKeys: unique([...coordinatorKeys, ...nodeKeys]) },
      hardware: 'optional',
    },
  });
}

/** What a spore may be called, and by whose evidence; `agents` empty: by that of any node. */
const policyFor = (
  { app }: ManifestTemplate['workloads'][number],
  trustDomain: string,
  agents: readonly string[],
) => ({
  name: app,
  role: 'workload' as const,
  san: [app, `${app}.${trustDomain}`, ...LOCAL],
  workloadSecretId: app,
  ...(agents.length > 0 && { nodeKeys: [...agents] }),
});

/**
 * The manifest with a policy for that spore, by evidence of the nodes that its edge may be on;
 * `undefined` where it has one. MESH_ERR_COORDINATOR_MANIFEST_INVALID when it becomes too large.
 */
export function allowing(
  manifest: MeshManifest,
  workload: ManifestTemplate['workloads'][number],
): MeshManifest | undefined {
  if (policyOf(manifest, workload.digest) !== undefined) return undefined;
  const agents = policyOf(manifest, EDGE_IDENTITY)?.nodeKeys ?? [];
  const policy = policyFor(workload, manifest.trustDomain, agents);
  return parseMeshManifest({
    ...manifest,
    policies: { ...manifest.policies, [workload.digest]: policy },
  });
}

/**
 * The manifest in force, with what a template names and it does not: identities and node keys.
 * `undefined` where it has all of it, or asks for hardware, which no template does.
 */
export function amended(
  inForce: MeshManifest,
  template: ManifestTemplate,
): MeshManifest | undefined {
  const wanted = manifestOf(template);
  const { process, hardware } = inForce.referenceValues;
  if (hardware === 'required') return undefined;
  const policies = Object.entries(wanted.policies).filter(
    ([identity]) => policyOf(inForce, identity) === undefined,
  );
  const known = process?.nodeKeys ?? [];
  const nodeKeys = unique([...known, ...(wanted.referenceValues.process?.nodeKeys ?? [])]);
  if (policies.length === 0 && nodeKeys.length === known.length) return undefined;
  return parseMeshManifest({
    ...inForce,
    policies: { ...inForce.policies, ...Object.fromEntries(policies) },
    referenceValues: { ...inForce.referenceValues, process: { nodeKeys } },
  });
}

const unique = (keys: readonly string[]): string[] => [...new Set(keys)];

/** The bytes of a manifest as people read and change it; what is set counts byte by byte. */
export const manifestText = (manifest: MeshManifest): string =>
  `${JSON.stringify(manifest, null, 2)}\n`;
