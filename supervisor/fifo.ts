/** First in, first out, at constant cost. */
export class Fifo<T> {
  #in: T[] = [];
  #out: T[] = [];
  #at = 0;

  get isEmpty(): boolean {
    return this.#at === this.#out.length && this.#in.length === 0;
  }

  push(item: T): void {
    this.#in.push(item);
  }

  shift(): T | undefined {
    if (this.#at === this.#out.length) {
      if (this.#in.length === 0) return undefined;
      this.#out = this.#in;
      this.#in = [];
      this.#at = 0;
    }
    return this.#out[this.#at++];
  }
}
