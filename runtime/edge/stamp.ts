import type { Clock } from '../../machines/kernel/clock.ts';

/** The field lines that tell when the edge answered, cached for as long as they stay true. */
export class Stamp {
  readonly #clock: Clock;
  #ms = Number.NaN;
  #second = Number.NaN;
  #stamp = '';
  #date = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `X-Mycelium-Edge` with the RFC 3339 time, and the edge's `Via` (RFC 9110 §7.6.3). */
  lines(): string {
    const now = this.#clock.now();
    if (now !== this.#ms) {
      this.#ms = now;
      this.#stamp = `Via: 1.1 mycelium\r\nX-Mycelium-Edge: ${new Date(now).toISOString()}\r\n`;
    }
    return this.#stamp;
  }

  /** A `Date` line (RFC 9110 §6.6.1). */
  dateLine(): string {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#date = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
    }
    return this.#date;
  }
}
