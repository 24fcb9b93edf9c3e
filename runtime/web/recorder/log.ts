import type { LogRow } from '../ui/wire.types.ts';
import type { OpenRow } from './actor.ts';
import { LOG_ROWS_MAX } from './bounds.ts';
import { Ring } from './ring.ts';

/** The newest lines of what happened, and those among them that nobody was told yet. */
export class Log {
  readonly #rows = new Ring<LogRow>(LOG_ROWS_MAX);
  readonly #fresh = new Ring<LogRow>(LOG_ROWS_MAX);
  #seq = 0;
  #told = 0;

  get hasFresh(): boolean {
    return this.#fresh.size > 0;
  }

  /** Number of the newest line. */
  get seq(): number {
    return this.#seq;
  }

  /** Its state and guard may be filled in as long as `isOpen`. */
  write(row: Omit<LogRow, 'seq'>): OpenRow {
    const numbered: OpenRow = { ...row, seq: ++this.#seq };
    this.#rows.push(numbered);
    this.#fresh.push(numbered);
    return numbered;
  }

  isOpen({ seq }: LogRow): boolean {
    return seq > this.#told;
  }

  all(): LogRow[] {
    return this.#rows.toArray();
  }

  takeFresh(): LogRow[] {
    const fresh = this.#fresh.toArray();
    this.#fresh.clear();
    this.#told = this.#seq;
    return fresh;
  }
}
