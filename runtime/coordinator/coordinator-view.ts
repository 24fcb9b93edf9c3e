/** What may be shown of a Coordinator, as plain data: nothing of it is secret. */
import type { RecoveryFailure } from '../../machines/coordinator/errors.ts';
import type { MeshPolicy } from '../../machines/coordinator/mesh-manifest.schema.ts';
import type { GuardStatus } from '../../machines/coordinator/stateguard.machine.ts';

/** One manifest of the history. Digests are 64 lower-case hex digits. */
export interface ManifestEntry {
  readonly generation: number;
  readonly transition: string;
  readonly manifest: string;
  /** RFC 3339, when this process first saw it; null for what was there before. */
  readonly seenAt: string | null;
}

/** A certificate of the authority. */
export interface AuthorityCertificate {
  readonly subject: string;
  /** SHA-256 of its SubjectPublicKeyInfo, lower-case hex: of the root, the same on all Coordinators. */
  readonly fingerprint: string;
  /** RFC 3339. */
  readonly notBefore: string;
  /** RFC 3339. */
  readonly notAfter: string;
}

/** Another Coordinator on the same history, or one that the configuration names. */
export interface PeerEntry {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** What it last said of itself; null for one that is only configured. */
  readonly state: GuardStatus | null;
  /** False once it has not renewed its entry in time. */
  readonly isLive: boolean;
}

/** Who may get a certificate of the mesh, and what that says: one policy of the manifest in force. */
export interface PolicyEntry {
  /** What evidence has to prove: the digest of a spore, or the host data of a guest. */
  readonly identity: string;
  readonly name: string;
  readonly role: MeshPolicy['role'];
  readonly spiffeId: string;
  /** Host names and addresses of the certificate. */
  readonly san: readonly string[];
  /** Node keys whose evidence of software counts; null: every one that the manifest knows. */
  readonly nodeKeys: number | null;
}

/** How many keys the manifest in force gives a say. */
export interface OwnerKeys {
  /** Each may set the next manifest. */
  readonly workload: number;
  /** Each may bring the state back with its share of the seed. */
  readonly seedShare: number;
}

/** One Coordinator at one moment. */
export interface CoordinatorView {
  readonly name: string;
  /** Where it listens; null while it does not. */
  readonly address: { readonly host: string; readonly port: number } | null;
  readonly state: GuardStatus;
  /** Why it is not `ready`, in one sentence; null when it is. */
  readonly reason: string | null;
  /** 1 for the first manifest; null without a state in memory. */
  readonly generation: number | null;
  /** Of the state in memory. */
  readonly transition: string | null;
  /** Newest first, at most `MANIFESTS_SHOWN_MAX`; empty without a state in memory. */
  readonly manifests: readonly ManifestEntry[];
  /** By role, then by name, at most `POLICIES_SHOWN_MAX`; empty without a state in memory. */
  readonly policies: readonly PolicyEntry[];
  /** All of them, also those that are not shown. */
  readonly policyCount: number;
  /** Null without a state in memory. */
  readonly owners: OwnerKeys | null;
  readonly authority: {
    readonly root: AuthorityCertificate;
    readonly mesh: AuthorityCertificate;
  } | null;
  /** The certificate that it shows to plain clients; null while that is self-signed. */
  readonly certificate: { readonly spiffeId: string; readonly notAfter: string } | null;
  readonly peers: readonly PeerEntry[];
  readonly connections: {
    /** Not attested yet. */
    readonly pending: number;
    readonly open: number;
    /** Refused since the start: connections and calls. */
    readonly refused: number;
  };
  readonly lastRecoveryFailure: {
    readonly reason: RecoveryFailure;
    readonly message: string;
  } | null;
  /** RFC 3339. */
  readonly startedAt: string;
}

/** Manifests of a view. */
export const MANIFESTS_SHOWN_MAX = 64;

/** Policies of a view: it is asked for every second while somebody looks. */
export const POLICIES_SHOWN_MAX = 256;
