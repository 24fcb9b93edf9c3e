import { ACCESS_APPS_MAX, accessLines } from './access-view.ts';
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
  const asked = ask(source);
  const [{ startedAt, ...facts }, coordinator, certificates, access, peers, relay] =
    await Promise.all([
      asked.info,
      offered(NO_COORDINATOR, () => asked.coordinator),
      offered(NO_CERTIFICATES, async () => rowsOf(await asked.certificates)),
      tried(() => accessOf(asked)),
      offered(NO_GOSSIP, async () => allOf(await source.peers?.())),
      offered(NO_GOSSIP, () => source.relay?.()),
    ]);
  const startedAtMs = Date.parse(startedAt);
  const around = { coordinator, certificates, access, peers, relay };
  return { available: true, ...facts, startedAtMs, ...around };
}

/** What more than one part of the page is told from is asked for once. */
const ask = (source: MeshSource) => ({
  info: answerOf(() => source.info()),
  apps: answerOf(() => source.apps()),
  coordinator: answerOf(() => source.coordinator?.()),
  certificates: answerOf(() => source.certificates?.()),
});

/** What throws at once rejects as well. */
const answerOf = async <Value>(question: () => Value): Promise<Awaited<Value>> => await question();

/** Where a part fails nothing is guessed: there is no line then, and the page says why. */
async function accessOf(asked: ReturnType<typeof ask>) {
  const [{ edgeUrl }, apps, certificates = [], coordinator] = await Promise.all([
    asked.info,
    asked.apps,
    asked.certificates,
    asked.coordinator,
  ]);
  const rows = accessLines({ edgeUrl, apps, certificates, coordinator });
  const hiddenApps = Math.max(0, apps.length - ACCESS_APPS_MAX);
  return { available: true as const, rows, hiddenApps };
}

/** The public feed, newest first. */
export const messagesView = (source: MeshSource): Promise<MessagesView> =>
  offered(NO_GOSSIP, async () => allOf((await source.messages?.())?.slice(0, MESSAGES_MAX)));

/** A peer that has met nobody, and heard nothing, is one all the same. */
const allOf = <Row>(rows: readonly Row[] | undefined) => rows && { rows };

const rowsOf = <Row>(rows: readonly Row[] | undefined) => (rows?.length ? { rows } : undefined);

const offered = <Body extends object>(
  none: Offer<never>,
  question: () => Promise<Body | undefined> | undefined,
): Promise<Offer<Body>> =>
  tried(async () => {
    const body = await question();
    return body === undefined ? none : { available: true, ...body };
  });

async function tried<Body extends object>(
  question: () => Promise<Offer<Body>>,
): Promise<Offer<Body>> {
  try {
    return await question();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { available: false, why, hint: 'Look at the log of the mesh.' };
  }
}
