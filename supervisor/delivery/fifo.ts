/** First in, first out, at constant cost. */
export class Fifo<T> {
  #in: T[] = [];
  #out: (T | undefined)[] = [];
  #at = 0;

  get isEmpty(): boolean {
    return this.#at === this.#out.length && this.#in.length === 0;
  }

  get size(): number {
    return this.#in.length + this.#out.length - this.#at;
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
    const item = this.#out[this.#at];
    // What has left must not be kept alive by its old place, nor an empty queue by its old size.
    this.#out[this.#at++] = undefined;
    if (this.#at === this.#out.length && this.#at > 0) {
      this.#out = [];
      this.#at = 0;
    }
    return item;
  }
}
