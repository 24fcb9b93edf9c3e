import type { RelayClient } from '../../../actors/gossip/ports/relay-client.ts';
import type { Clock } from '../../../machines/kernel/clock.ts';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import type { RelayRow } from '../message-view.ts';
import { iso } from './rows.ts';

/** A relay client that remembers whether the relay answered the last time it was asked. */
export class RelayWatch {
  readonly client: RelayClient;
  readonly #clock: Clock;
  #row: RelayRow;

  constructor(url: string, client: RelayClient, clock: Clock) {
    this.#clock = clock;
    this.#row = { url, state: 'unknown', since: null };
    this.client = {
      post: (envelopes, signal) => this.#asked(client.post(envelopes, signal)),
      lease: (max, signal) => this.#asked(client.lease(max, signal)),
      ack: (leases, signal) => this.#asked(client.ack(leases, signal)),
      onWake: (listener) => client.onWake(listener),
    };
  }

  row(): RelayRow {
    return this.#row;
  }

  async #asked<Value>(answer: Promise<Value>): Promise<Value> {
    try {
      const value = await answer;
      this.#note('reachable');
      return value;
    } catch (error) {
      if (codeOf(error) === 'MESH_ERR_RELAY_UNAVAILABLE') this.#note('unreachable');
      throw error;
    }
  }

  #note(state: RelayRow['state']): void {
    if (state !== this.#row.state)
      this.#row = { ...this.#row, state, since: iso(this.#clock.now()) };
  }
}
