import { EVENT_IDS_MAX } from './journal.ts';

/** The newest ids that were applied, oldest first; older ones are forgotten. */
export class IdWindow {
  readonly #ids = new Set<string>();

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    this.#ids.add(id);
    if (this.#ids.size <= EVENT_IDS_MAX) return;
    const oldest = this.#ids.values().next();
    if (!oldest.done) this.#ids.delete(oldest.value);
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) this.#ids.delete(id);
  }

  /** These and no others. */
  reset(ids: readonly string[]): void {
    this.#ids.clear();
    for (const id of ids) this.add(id);
  }
}
