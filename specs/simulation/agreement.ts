/** What must be everywhere once all has been well for long enough. */
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';
import { isAlive } from '../../machines/gossip/envelope.ts';
import { short } from './oracle.ts';
import type { Oracle, Watched } from './oracle.ts';

/** A direct message that somebody has sent. */
export interface Direct {
  readonly from: Watched;
  readonly to: Watched;
  readonly envelope: Envelope;
}

/** What tells whether somebody lacks what he must have. */
export interface AtTheEnd {
  readonly peers: readonly Watched[];
  readonly directs: readonly Direct[];
  /** Whose database was lost: what only it had is gone. */
  readonly wiped: ReadonlySet<string>;
  /** What the relay threw away or changed. */
  readonly lost: ReadonlySet<string>;
  readonly oracle: Oracle;
  readonly nowMs: number;
}

/** Messages that end so soon may be gone at one peer, whose clock is ahead, and not yet at another. */
const SOON_MS = 10 * 60_000;

/** One line for each message that somebody lacks; every honest peer has every public one that any has. */
export function missingAtTheEnd(world: AtTheEnd): readonly string[] {
  const honest = world.peers.filter(({ isHonest }) => isHonest);
  const all = new Set<string>();
  for (const { disk } of honest)
    for (const [id, { envelope }] of disk.messages)
      if (envelope.header.kind === 'public' && isAlive(envelope.header, world.nowMs + SOON_MS))
        all.add(id);
  const missing: string[] = [];
  for (const { disk, name } of honest) {
    for (const id of all)
      if (!disk.messages.has(id)) missing.push(`${name} lacks ${short(id)} at the end`);
    for (const { envelope } of disk.quarantine.values())
      if (disk.keys.has(envelope.header.sender_id) && isGenuine(world, envelope))
        missing.push(`${name} has ${short(idOf(envelope))} and its key, unverified`);
  }
  for (const direct of world.directs)
    if (isOwed(world, direct) && !direct.to.disk.messages.has(idOf(direct.envelope)))
      missing.push(
        `${direct.to.name} never got ${short(idOf(direct.envelope))} of ${direct.from.name}`,
      );
  return missing;
}

const idOf = ({ header }: Envelope): string => header.message_id;

const isGenuine = ({ oracle }: AtTheEnd, envelope: Envelope): boolean =>
  oracle.genuine.get(idOf(envelope))?.signature === envelope.signature;

function isOwed({ wiped, lost }: AtTheEnd, { from, to, envelope }: Direct): boolean {
  const isTrue = from.isHonest && to.isHonest;
  const isKept = !wiped.has(from.id) && !wiped.has(to.id);
  return isTrue && isKept && to.disk.keys.has(from.id) && !lost.has(idOf(envelope));
}
