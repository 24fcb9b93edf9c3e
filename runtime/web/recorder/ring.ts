/** The newest items, in order; an older one gives way to each new one once it is full. */
export class Ring<Item> {
  readonly #items: Item[] = [];
  readonly #max: number;
  /** Place of the oldest, once it is full. */
  #from = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#items.length;
  }

  push(item: Item): void {
    if (this.#items.length < this.#max) {
      this.#items.push(item);
      return;
    }
    this.#items[this.#from] = item;
    this.#from = (this.#from + 1) % this.#max;
  }

  /** Oldest first. */
  toArray(): Item[] {
    return [...this.#items.slice(this.#from), ...this.#items.slice(0, this.#from)];
  }

  clear(): void {
    this.#items.length = 0;
    this.#from = 0;
  }
}
