import { Counter, Gauge } from 'prom-client';
import type { Metric } from 'prom-client';
import type { PeerInfo } from '../gossip/message-view.ts';

/** What is read of a peer, where there is one. */
export type PeerCounts = Pick<PeerInfo, 'counts' | 'tallies' | 'refusals'>;

/** The metrics of a node's peer; none of their labels names a peer or a message. */
export const peerMetrics = (peer: () => Promise<PeerCounts | undefined>): Metric[] => [
  new Gauge({
    name: 'mesh_peer_rows',
    help: 'What the peer of this node holds, by table.',
    labelNames: ['table'],
    registers: [],
    async collect() {
      this.reset();
      for (const [table, value] of entriesOf((await peer())?.counts)) this.set({ table }, value);
    },
  }),
  new Counter({
    name: 'mesh_peer_events_total',
    help: 'What the peer of this node did: sessions, messages, duplicates.',
    labelNames: ['event'],
    registers: [],
    async collect() {
      this.reset();
      for (const [event, value] of entriesOf((await peer())?.tallies)) this.inc({ event }, value);
    },
  }),
  new Counter({
    name: 'mesh_peer_refusals_total',
    help: 'What the peer of this node refused, by code.',
    labelNames: ['code'],
    registers: [],
    async collect() {
      this.reset();
      for (const [code, value] of entriesOf((await peer())?.refusals)) this.inc({ code }, value);
    },
  }),
];

const entriesOf = (counts: Readonly<Record<string, number>> = {}): [string, number][] =>
  Object.entries(counts);
