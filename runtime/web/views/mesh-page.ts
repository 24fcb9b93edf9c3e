import type { MeshView, MessagesView, Offer } from '../ui/views.types.ts';
import type { MeshSource } from './mesh-source.types.ts';

/** Messages on one page; `mesh gossip` has them all. */
const MESSAGES_MAX = 500;

const missing = (why: string, hint: string): Offer<never> => ({ available: false, why, hint });

const NO_COORDINATOR = missing(
  'No Coordinator belongs to this mesh.',
  'Run `mesh coordinator init`, then `mesh coordinator start`.',
);
const NO_CERTIFICATES = missing(
  'No instance has a mesh certificate.',
  'Tell `mesh up` of a Coordinator, and instances get one as they start.',
);
const NO_GOSSIP = missing(
  'No public messages are exchanged here.',
  'Run `mesh peer start` with the same state folder.',
);

/** Coordinator, certificates, peers and relay; one that fails says so, and the others are shown. */
export async function meshPage(source: MeshSource): Promise<MeshView> {
  const [{ startedAt, ...facts }, coordinator, certificates, peers, relay] = await Promise.all([
    source.info(),
    offered(NO_COORDINATOR, () => source.coordinator?.()),
    offered(NO_CERTIFICATES, async () => rowsOf(await source.certificates?.())),
    offered(NO_GOSSIP, async () => allOf(await source.peers?.())),
    offered(NO_GOSSIP, () => source.relay?.()),
  ]);
  const startedAtMs = Date.parse(startedAt);
  return { available: true, ...facts, startedAtMs, coordinator, certificates, peers, relay };
}

/** The public feed, newest first. */
export const messagesView = (source: MeshSource): Promise<MessagesView> =>
  offered(NO_GOSSIP, async () => allOf((await source.messages?.())?.slice(0, MESSAGES_MAX)));

/** A peer that has met nobody, and heard nothing, is one all the same. */
const allOf = <Row>(rows: readonly Row[] | undefined) => rows && { rows };

const rowsOf = <Row>(rows: readonly Row[] | undefined) => (rows?.length ? { rows } : undefined);

async function offered<Body extends object>(
  none: Offer<never>,
  ask: () => Promise<Body | undefined> | undefined,
): Promise<Offer<Body>> {
  try {
    const body = await ask();
    return body === undefined ? none : { available: true, ...body };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { available: false, why, hint: 'Look at the log of the mesh.' };
  }
}
