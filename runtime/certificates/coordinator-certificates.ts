/** Mesh certificates from a Coordinator, as files. Loaded only by a mesh that has one. */
import { join } from 'node:path';
import type { Certificates } from '../../actors/workload/ports/certificates.ts';
import type { Repo } from '../../actors/workload/ports/spore.ts';
import { EDGE_IDENTITY } from '../../machines/coordinator/identities.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import type { CertificateSubject } from '../../machines/workload/certificate-rules.ts';
import type { ProcessFacts } from '../attest/process-evidence.ts';
import type { HomePaths } from '../home.ts';
import { askCoordinator } from './ask-coordinator.ts';
import type { CoordinatorSource } from './coordinator-link.ts';
import {
  checkIssued,
  environmentOf,
  keyIn,
  readIdentity,
  writeIdentity,
} from './identity-files.ts';
import { Turns } from './turns.ts';
import type { IdentityPem } from './identity-files.ts';

export interface CertificatesOptions {
  readonly source: CoordinatorSource;
  readonly paths: HomePaths;
  readonly repo: Pick<Repo, 'manifest'>;
  readonly clock: Clock;
  /** Told of the edge's own certificate, whenever there is another one. */
  readonly onEdge: (pem: IdentityPem, spiffeId: string) => void;
}

/**
 * Asked for at once by one mesh: what starts, or was issued, together is renewed together, and must not
 * look like a storm to a Coordinator.
 */
const ASKING_MAX = 8;

/** Below an instance's folder, and below the state folder for the edge. */
export const IDENTITY_FOLDER = 'identity';
const EDGE_FOLDER = 'edge';

/** The port on a Coordinator and the file system. */
export function createCertificates(options: CertificatesOptions): Certificates {
  const { source, paths, repo, clock, onEdge } = options;
  const asking = { ...source, clock };
  const turns = new Turns(ASKING_MAX);
  const writing = new Writing();
  const folderOf = (subject: CertificateSubject): string =>
    subject.kind === 'edge'
      ? join(paths.home, EDGE_FOLDER, IDENTITY_FOLDER)
      : join(paths.instances, subject.instance, IDENTITY_FOLDER);
  const factsOf = async (subject: CertificateSubject): Promise<ProcessFacts> => {
    if (subject.kind === 'edge')
      return { spore: EDGE_IDENTITY, binary: EDGE_IDENTITY, instance: 'edge' };
    const { digest, instance } = subject;
    const { integrity } = await repo.manifest(digest as Digest);
    return { spore: digest, binary: integrity.binary_sha256, instance };
  };
  return {
    read: async (subject) => {
      const found = await readIdentity(folderOf(subject), clock.now());
      if (found !== null && subject.kind === 'edge') onEdge(found.pem, found.held.spiffeId);
      return found?.held ?? null;
    },
    obtain: (subject, signal) => writing.add(folderOf(subject), obtain(subject, signal)),
    settled: (subject) => writing.settled(folderOf(subject)),
    environment: async (subject) => environmentOf(folderOf(subject)),
  };
  async function obtain(subject: CertificateSubject, signal: AbortSignal) {
    const folder = folderOf(subject);
    const own = await keyIn(folder);
    const facts = await factsOf(subject);
    const issued = await turns.run(() => askCoordinator(asking, facts, own.key, signal), signal);
    const held = checkIssued(issued, own.key, clock.now());
    const pem = await writeIdentity(folder, issued, own, signal);
    if (subject.kind === 'edge') onEdge(pem, held.spiffeId);
    return held;
  }
}

/** What is under way in each folder. */
class Writing {
  readonly #folders = new Map<string, Promise<unknown>>();

  add<Value>(folder: string, work: Promise<Value>): Promise<Value> {
    const both = Promise.allSettled([this.#folders.get(folder), work]);
    this.#folders.set(folder, both);
    void both.then(() => {
      if (this.#folders.get(folder) === both) this.#folders.delete(folder);
    });
    return work;
  }

  async settled(folder: string): Promise<void> {
    await this.#folders.get(folder);
  }
}
