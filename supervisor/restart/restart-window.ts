/**
 * Counts restarts in a sliding window, as OTP's `supervisor:add_restart/1` does, in a ring of
 * `intensity` times: constant cost, however many children share it. OTP counts whole seconds; this
 * counts milliseconds, which is stricter by less than a second.
 */
export class RestartWindow {
  readonly #intensity: number;
  readonly #periodMs: number;
  #times: number[] = [];
  #next = 0;

  constructor(intensity: number, periodMs: number) {
    this.#intensity = intensity;
    this.#periodMs = periodMs;
  }

  /** A window of another size that remembers what this one does. */
  resized(intensity: number, periodMs: number): RestartWindow {
    const window = new RestartWindow(intensity, periodMs);
    const times = [...this.#times.slice(this.#next), ...this.#times.slice(0, this.#next)];
    if (intensity !== Infinity && intensity > 0) window.#times = times.slice(-intensity);
    return window;
  }

  /** Counts a restart at `nowMs`; false when it is one more than `intensity` within the period. */
  admit(nowMs: number): boolean {
    if (this.#intensity === Infinity) return true;
    if (this.#times.length < this.#intensity) {
      this.#times.push(nowMs);
      return true;
    }
    const oldest = this.#times[this.#next];
    if (oldest === undefined || oldest >= nowMs - this.#periodMs) return false;
    this.#times[this.#next] = nowMs;
    this.#next = (this.#next + 1) % this.#intensity;
    return true;
  }
}
