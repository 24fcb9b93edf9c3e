/** Fake ports whose calls wait until a spec lets them through, one by one. */

interface Waiting {
  readonly name: string;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

export class Gates {
  readonly #waiting: Waiting[] = [];

  /** A call of `name`: settles when the spec says so. An abort takes it out of the queue. */
  wait<Value>(name: string, signal?: AbortSignal): Promise<Value> {
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    const waiting: Waiting = { name, resolve, reject };
    this.#waiting.push(waiting);
    signal?.addEventListener('abort', () => {
      this.#take(waiting);
      reject(signal.reason);
    });
    return promise;
  }

  /** Nobody waits any more. */
  clear(): void {
    this.#waiting.length = 0;
  }

  get waiting(): readonly string[] {
    return this.#waiting.map(({ name }) => name);
  }

  /** Lets the newest call of `name` through: an older one belongs to a state that was left. */
  open(name: string, value: unknown): void {
    this.#newest(name).resolve(value as never);
  }

  fail(name: string, error: unknown): void {
    this.#newest(name).reject(error);
  }

  #newest(name: string): Waiting {
    const found = this.#waiting.findLast((one) => one.name === name);
    if (found === undefined)
      throw new Error(`Nobody calls ${name}; waiting: ${this.waiting.join(', ') || 'none'}.`);
    this.#take(found);
    return found;
  }

  #take(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting);
    if (at !== -1) this.#waiting.splice(at, 1);
  }
}
