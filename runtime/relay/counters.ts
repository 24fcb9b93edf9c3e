/** What a relay did, as numbers: for its operator, never with an id. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { RelayStoreCounts } from '../adapters/relay-store.sqlite.ts';

/** What counters ask when they are read. */
export interface RelayGauges {
  store(): RelayStoreCounts;
  connections(): number;
  watchers(): number;
  nonces(): number;
}

/** Counts from the start of this program; only goes up. */
export class RelayCounters {
  readonly #registry = new Registry();
  readonly #requests: Counter<'status'>;
  readonly #envelopes: Counter<'result'>;
  readonly #refusals: Counter<'code'>;
  readonly #delivered: Counter;
  readonly #acknowledged: Counter;
  readonly #byCode = new Map<string, number>();

  constructor(gauges: RelayGauges) {
    const registers = [this.#registry];
    const counter = <Label extends string>(name: string, help: string, label: Label) =>
      new Counter({ name: `mesh_relay_${name}`, help, labelNames: [label], registers });
    this.#requests = counter('requests_total', 'Answered requests by status.', 'status');
    this.#envelopes = counter(
      'envelopes_total',
      'Posted envelopes by what became of them.',
      'result',
    );
    this.#refusals = counter('refusals_total', 'Refused requests and envelopes by code.', 'code');
    this.#delivered = new Counter({
      name: 'mesh_relay_delivered_total',
      help: 'Messages handed out, again ones included.',
      registers,
    });
    this.#acknowledged = new Counter({
      name: 'mesh_relay_acknowledged_total',
      help: 'Messages that their recipients have.',
      registers,
    });
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name: `mesh_relay_${name}`,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    gauge('waiting_messages', 'Messages in inboxes.', () => gauges.store().items);
    gauge('waiting_bytes', 'Octets in inboxes.', () => gauges.store().bytes);
    gauge('inboxes', 'Inboxes with a message.', () => gauges.store().inboxes);
    gauge('connections', 'Open connections.', gauges.connections);
    gauge('watchers', 'Open wake-up sockets.', gauges.watchers);
    gauge('nonces', 'Remembered requests.', gauges.nonces);
  }

  answered(status: number): void {
    this.#requests.inc({ status: String(status) });
  }

  envelope(result: 'accepted' | 'duplicate' | 'refused'): void {
    this.#envelopes.inc({ result });
  }

  /** `code` is one of a table, so there are few. */
  refused(code: string): void {
    this.#refusals.inc({ code });
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1);
  }

  delivered(count: number): void {
    this.#delivered.inc(count);
  }

  acknowledged(count: number): void {
    this.#acknowledged.inc(count);
  }

  /** Refusals by code. */
  get refusals(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#byCode);
  }

  /** Prometheus text exposition format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
