/**
 * The owner of a mesh that is at home on one machine: all keys are in its folder, so it sets the
 * manifest by itself and recovers the Coordinator after each restart with its own seed share. That is
 * as safe as the folder; a mesh whose owners are elsewhere does without it.
 */
import { randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { recoverByUser } from '../../actors/coordinator/recover-state.ts';
import { confirmShares } from '../../actors/coordinator/seed-shares.ts';
import { setManifest } from '../../actors/coordinator/set-manifest.ts';
import type { SetManifestRequest } from '../../actors/coordinator/set-manifest.ts';
import type { CoordinatorPorts } from '../../actors/coordinator/ports/services.ts';
import type { MeshManifest } from '../../machines/coordinator/mesh-manifest.schema.ts';
import type { GuardStatus } from '../../machines/coordinator/stateguard.machine.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import { writeAtomically } from '../spore/durable.ts';
import { coordinatorPaths, ensureNodeKey } from './coordinator-identity.ts';
import { amended, manifestOf, manifestText } from './manifest-template.ts';
import type { ManifestTemplate } from './manifest-template.ts';
import { openShare } from './open-share.ts';
import { generateOwnerKey, ownerKeyPath, publicBytesOf, readOwnerKey } from './owner-keys.ts';
import type { Owner } from './owner-keys.ts';

/** What the manifest of a home names beside the owner and its one Coordinator. */
export interface HomeOwnerOptions extends Pick<
  ManifestTemplate,
  'trustDomain' | 'nodeKeys' | 'workloads'
> {
  /** Of its Coordinator. */
  readonly folder: string;
}

/** A spore that is to get certificates, and the app that it runs as. */
export type Workload = ManifestTemplate['workloads'][number];

const SHARE_FILE = 'seed-share';
const FIRST_SET_FILE = 'first-set.json';
const IDEMPOTENCY_BYTES = 32;
/** The guard reads the history once before it says anything. */
const STATUS_TIMEOUT_MS = 2_000;

/** Makes the keys that are missing; MESH_ERR_KEY_*, MESH_ERR_COORDINATOR_MANIFEST_INVALID. */
export async function createHomeOwner({ folder, ...named }: HomeOwnerOptions): Promise<HomeOwner> {
  const { keys } = coordinatorPaths(folder);
  const { publicKey } = await ensureNodeKey(keys);
  const [workloadOwner, seedShareOwner] = await ensureOwnerKeys(keys);
  const template: ManifestTemplate = {
    ...named,
    coordinatorKeys: [Buffer.from(publicKey).toString('hex')],
    workloadOwner: publicBytesOf(workloadOwner),
    seedShareOwner: publicBytesOf(seedShareOwner),
  };
  return new HomeOwner(folder, template, seedShareOwner);
}

/** Brings a Coordinator to `ready`, and keeps its manifest up with what runs here. */
export class HomeOwner {
  readonly #folder: string;
  readonly #template: ManifestTemplate;
  readonly #seedShareOwner: KeyObject;
  /** One amendment builds on the one before. */
  #last: Promise<void> = Promise.resolve();

  constructor(folder: string, template: ManifestTemplate, seedShareOwner: KeyObject) {
    this.#folder = folder;
    this.#template = template;
    this.#seedShareOwner = seedShareOwner;
  }

  /** From whatever it finds: sets the first manifest, or recovers, and adds what is missing. */
  async bring(ports: CoordinatorPorts): Promise<void> {
    let status = await statusOf(ports, (now) => now !== 'storeUnavailable');
    // A first set whose shares never arrived is set again, which gives them out again.
    if (status === 'empty' || (status !== 'ready' && !existsSync(this.#share)))
      await this.#begin(ports);
    status = await statusOf(ports, (now) => now !== 'empty');
    if (status === 'recovering' || status === 'stale') await this.#recover(ports);
    await statusOf(ports, (now) => now === 'ready');
    await this.#amend(ports, this.#template.workloads);
  }

  /** Lets a spore have certificates, if the manifest does not name it. What `setManifest` throws. */
  admit(ports: CoordinatorPorts, workload: Workload): Promise<void> {
    const amending = this.#last.then(() => this.#amend(ports, [workload]));
    // Whoever waits for it hears of a failure; the next one begins all the same.
    this.#last = amending.catch(() => undefined);
    return amending;
  }

  get #share(): string {
    return join(this.#folder, SHARE_FILE);
  }

  #set(ports: CoordinatorPorts, request: FirstSet, previous: Digest | null) {
    const { workloadOwner: callerKey } = this.#template;
    return setManifest(ports, { ...request, policies: [], previous, callerKey });
  }

  async #begin(ports: CoordinatorPorts): Promise<void> {
    const request = await firstSet(this.#folder, bytesOf(manifestOf(this.#template)));
    const { shares } = await this.#set(ports, request, null);
    const [own] = shares;
    if (own === undefined) return;
    const ciphertext = Buffer.from(own.ciphertext, 'base64');
    await writeAtomically(this.#share, (file) => file.writeFile(ciphertext), { mode: 0o600 });
    await confirmShares(ports, request);
  }

  async #recover(ports: CoordinatorPorts): Promise<void> {
    const { seed, salt } = openShare(await readFile(this.#share), this.#seedShareOwner);
    const callerKey = publicBytesOf(this.#seedShareOwner);
    const { signal } = new AbortController();
    await recoverByUser(ports, { seed, salt, callerKey, isForced: true }, signal);
  }

  /** What else is in the manifest stays: somebody may have set one by hand. */
  async #amend(ports: CoordinatorPorts, workloads: readonly Workload[]): Promise<void> {
    const { record, manifest } = ports.cell.take();
    const next = amended(manifest, { ...this.#template, workloads });
    if (next === undefined) return;
    const request = { manifest: bytesOf(next), idempotencyKey: newKey() };
    await this.#set(ports, request, record.transition);
    await statusOf(ports, (now) => now === 'ready');
  }
}

const bytesOf = (manifest: MeshManifest): Uint8Array =>
  new TextEncoder().encode(manifestText(manifest));

/** Both keys, made where they are missing: the workload owner's and the seed share owner's. */
export const ensureOwnerKeys = (keys: string) =>
  Promise.all([ensureOwnerKey(keys, 'workload-owner'), ensureOwnerKey(keys, 'seed-share-owner')]);

async function ensureOwnerKey(keys: string, owner: Owner) {
  const path = ownerKeyPath(keys, owner);
  if (!existsSync(path)) await generateOwnerKey(keys, owner);
  return readOwnerKey(path, owner);
}

/** What has to be the same when a first set is repeated. */
type FirstSet = Pick<SetManifestRequest, 'manifest' | 'idempotencyKey'>;

const firstSetSchema = z.strictObject({ manifest: z.string(), idempotencyKey: z.string() });
const newKey = (): string => randomBytes(IDEMPOTENCY_BYTES).toString('hex');

/** Kept from before the first set: only the same request again is given the same shares. */
async function firstSet(folder: string, bytes: Uint8Array): Promise<FirstSet> {
  const path = join(folder, FIRST_SET_FILE);
  if (!existsSync(path)) {
    const text = new TextDecoder().decode(bytes);
    const kept = JSON.stringify({ manifest: text, idempotencyKey: newKey() });
    await writeAtomically(path, (file) => file.writeFile(kept), { mode: 0o600 });
  }
  const kept = firstSetSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  return { ...kept, manifest: new TextEncoder().encode(kept.manifest) };
}

/** The guard's status once it is one of those that are waited for, or as it is at the deadline. */
async function statusOf(
  { cell, clock }: CoordinatorPorts,
  isAwaited: (status: GuardStatus) => boolean,
): Promise<GuardStatus> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (isAwaited(cell.published.status)) resolve();
  };
  const stop = cell.onStatus(look);
  const timer = clock.setTimeout(resolve, STATUS_TIMEOUT_MS);
  look();
  await promise;
  clock.clearTimeout(timer);
  stop();
  return cell.published.status;
}
