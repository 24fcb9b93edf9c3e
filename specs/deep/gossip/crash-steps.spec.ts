/** Two peers, one of which dies at the first moment of a session, at the second, and so on. */
import { describe, expect, it } from 'vitest';
import { createVoice } from '../../../actors/gossip/voice.ts';
import { QUERY_INTERVAL_MS } from '../../../machines/gossip/session-limits.ts';
import { samplePeer } from '../../support/gossip/letters.ts';
import { seededRandom } from '../../support/supervised.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Oracle } from '../../simulation/oracle.ts';
import { SimNetwork } from '../../simulation/sim-network.ts';
import { SimPeer } from '../../simulation/sim-peer.ts';
import { SimRelay } from '../../simulation/sim-relay.ts';

/** When one of them dies: after so many of its commits, or of the events in the world. */
interface Death {
  readonly victim: 'asker' | 'asked';
  readonly after: 'commits' | 'events';
  readonly count: number;
}

/** Asker and asked, one of which dies once. */
class Pair {
  readonly clock = new VirtualClock();
  readonly oracle = new Oracle(() => this.clock.now());
  readonly #relay = new SimRelay(() => this.clock.now(), seededRandom(1));
  readonly #network = new SimNetwork(this.clock, seededRandom(2), this.#relay);
  readonly asker: SimPeer;
  readonly asked: SimPeer;
  readonly #victim: SimPeer;
  readonly #death: Death;
  readonly counts = { commits: 0, events: 0 };

  constructor(death: Death, reconciles: boolean) {
    const byId = new Map<string, SimPeer>();
    const world = {
      clock: this.clock,
      network: this.#network,
      oracle: this.oracle,
      reconciles,
      bug: undefined,
      trace: () => undefined,
      byId,
      diesAtCommit: (id: string) => id === this.#victim.id && this.#count('commits'),
      isLie: () => false,
      loot: { random: seededRandom(3), strangers: [], anyEnvelope: () => undefined },
    };
    this.#network.dials = { delayMinMs: 5, delayMaxMs: 6, loss: 0, duplicates: 0 };
    this.asker = new SimPeer(world, 1, samplePeer(1), true);
    this.asked = new SimPeer(world, 2, samplePeer(2), true);
    for (const peer of [this.asker, this.asked]) byId.set(peer.id, peer);
    this.#victim = death.victim === 'asker' ? this.asker : this.asked;
    this.#death = death;
  }

  /** Resolves when the asker has all, or three intervals are over; gives whether it has. */
  async run(): Promise<boolean> {
    this.asked.start();
    const voice = this.asked.ports && createVoice(this.asked.ports);
    for (let nth = 0; nth < MESSAGES; nth++) void voice?.post(Buffer.from(`message ${nth}`));
    await this.clock.advance(SECOND);
    this.asker.start();
    const { id: peerId, publicKey } = this.asked;
    void this.asker.ports?.store.addPeer({ peerId, publicKey, name: null });
    this.asker.tree?.send('gossip/sync', { type: 'peers.changed' });
    const endMs = this.clock.now() + 3 * QUERY_INTERVAL_MS;
    while (this.clock.now() < endMs && !this.#isDone) {
      if (!(await this.clock.step())) break;
      this.#count('events');
    }
    for (const peer of [this.asker, this.asked]) peer.crash();
    return this.#isDone;
  }

  get #isDone(): boolean {
    const record = this.asker.disk.peers.get(this.asked.id);
    return this.asker.disk.messages.size >= MESSAGES && record?.outcome === 'done';
  }

  /** Whether the victim has died of it. */
  #count(what: Death['after']): boolean {
    if (++this.counts[what] !== this.#death.count || this.#death.after !== what) return false;
    const victim = this.#victim;
    victim.crash();
    this.clock.setTimeout(() => victim.start(), SECOND);
    return true;
  }
}

const SECOND = 1000;
const MESSAGES = 3;

describe.each([
  ['asker', 'page by page', false],
  ['asker', 'by reconciling', true],
  ['asked', 'page by page', false],
] as const)('the %s, %s,', (victim, _, reconciles) => {
  it.each(['commits', 'events'] as const)(
    'may die after any number of %s: nothing is lost, stored twice or asked too soon',
    async (after) => {
      const whole = new Pair({ victim, after, count: Infinity }, reconciles);
      expect(await whole.run()).toBe(true);
      const most = whole.counts[after];
      const failed: string[] = [];
      for (let count = 1; count <= most; count++) {
        const pair = new Pair({ victim, after, count }, reconciles);
        if (!(await pair.run())) failed.push(`after ${count}: not done`);
        failed.push(...pair.oracle.violations.map((one) => `after ${count}: ${one}`));
      }
      console.log(`died after each of ${most} ${after}`);
      expect(failed).toEqual([]);
      expect(most).toBeGreaterThan(3);
    },
  );
});
