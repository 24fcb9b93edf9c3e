/** The state of a Coordinator: replaced as a whole, never changed. */
import type { Digest } from '../../machines/kernel/ids.ts';
import type { MeshManifest } from '../../machines/coordinator/mesh-manifest.schema.ts';
import type { StateSummary } from '../../machines/coordinator/stateguard.machine.ts';
import type { LatestRecord } from '../../machines/coordinator/transition.ts';
import type { CertificateAuthority } from './ports/authority.ts';
import type { SeedEngine } from './ports/keys.ts';
import type { Secret } from './secret.ts';

/** What the history says, before a seed proves it. */
export interface UnverifiedState {
  readonly record: LatestRecord;
  readonly generation: number;
  readonly manifest: MeshManifest;
  /** The exact bytes, whose hash is in the transition. */
  readonly manifestBytes: Uint8Array;
  /** Manifest digests, the first one first. */
  readonly manifests: readonly Digest[];
  /** Transition ids, the first one first; the last is the record's. */
  readonly chain: readonly Digest[];
}

/** A state that its seed's signature proves, with all that a request needs. */
export interface CoordinatorState extends UnverifiedState {
  readonly engine: SeedEngine;
  readonly meshKey: Secret;
  readonly authority: CertificateAuthority;
  /** `chain` as a set. */
  readonly ancestors: ReadonlySet<Digest>;
}

/** The part of a state that may be shown. */
export const summaryOf = ({
  record: { transition },
  generation,
}: Pick<UnverifiedState, 'record' | 'generation'>): StateSummary => ({ transition, generation });
