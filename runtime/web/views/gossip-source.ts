import type { MessageRow, PeerRow } from '../../gossip/message-view.ts';
import { runningPeer } from '../../gossip/peer/with-desk.ts';
import type { MessageLine, PeerLine } from '../ui/views.types.ts';
import type { MeshSource } from './mesh-source.types.ts';

/** Newest messages that are asked for; sealed ones among them are nobody's business here. */
const MESSAGES_ASKED = 500;

/** What the peer of a state folder shows, while one runs there. */
export const gossipOf = (
  home: string,
): Required<Pick<MeshSource, 'messages' | 'peers' | 'relay'>> => ({
  messages: async () => {
    const rows = await (await runningPeer(home))?.messages({ limit: MESSAGES_ASKED });
    return rows
      ?.filter(({ kind }) => kind === 'public')
      .toSorted((a, b) => b.row - a.row)
      .map(messageLine);
  },
  peers: async () => (await (await runningPeer(home))?.peers())?.map(peerLine),
  relay: async () => {
    const relay = (await (await runningPeer(home))?.info())?.relay;
    return relay ? { address: relay.url, state: relay.state } : undefined;
  },
});

const messageLine = ({ createdAt, text, bytes, ...row }: MessageRow): MessageLine => ({
  id: row.id,
  atMs: Date.parse(createdAt),
  author: row.author,
  authorName: row.authorName,
  kind: row.kind,
  text: text ?? `(${bytes} bytes that are no text)`,
  isVerified: row.isVerified,
});

const peerLine = ({ peerId, name, state, outcome, completedAt }: PeerRow): PeerLine => ({
  peer: name ?? peerId,
  state: outcome === null ? state : `${state}, last ${outcome}`,
  address: null,
  lastSeenMs: completedAt === null ? null : Date.parse(completedAt),
});
