/** Runs the ledger program again and again on one journal, kills it, and keeps the books. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Random } from '../../../machines/kernel/random.ts';

const PROGRAM = fileURLToPath(new URL('ledger-program.ts', import.meta.url));
const ACCOUNTS = 3;
/** Orders that may be unanswered at once. */
const AHEAD = 40;
/** New orders in one round: fewer than ids that an account shows, so each is seen by name. */
const ORDERS_MAX = 250;
/** Each fifth program is killed while it starts. */
const EARLY = 0.2;

/** What was found out, over all rounds. */
export interface Tally {
  rounds: number;
  /** Killed before they were ready. */
  early: number;
  sent: number;
  acknowledged: number;
  /** Acknowledged, and not there in the next program. */
  lost: number;
  /** Orders that count twice. */
  twice: number;
  /** Effects that somebody saw although the order is not there. */
  premature: number;
  /** Effects that came more than once. */
  repeated: number;
  /** Answers other than an acknowledgement. */
  refused: number;
  /** Programs that could not start on what the one before had left. */
  stuck: number;
}

/** No rounds yet. */
export const emptyTally = (): Tally => ({
  rounds: 0,
  early: 0,
  sent: 0,
  acknowledged: 0,
  lost: 0,
  twice: 0,
  premature: 0,
  repeated: 0,
  refused: 0,
  stuck: 0,
});

/** See the head of this file. */
export class KilledPrograms {
  readonly #journal: string;
  readonly #random: Random;
  readonly #env: NodeJS.ProcessEnv;
  readonly #tally: Tally;
  readonly #acknowledged = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #applied = new Set<string>();
  /** Sent and not answered: sent again, with the same id, by the next round. */
  #open = new Map<string, number>();
  #order = 0;

  constructor(journal: string, random: Random, cache: string, tally: Tally) {
    this.#journal = journal;
    this.#random = random;
    this.#env = { ...process.env, NODE_COMPILE_CACHE: cache, NODE_ENV: 'production' };
    this.#tally = tally;
  }

  /** One program, killed at a random point; `isLast` lets it answer everything, and end. */
  async round(isLast = false): Promise<void> {
    const args = [PROGRAM, this.#journal, String(ACCOUNTS)];
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: this.#env,
    });
    // Written to one that is dead already: that is what this is about.
    child.stdin.on('error', () => {});
    // In the middle of its work: at an answer, or at any moment, whichever comes first.
    const killAfterAnswers = isLast ? Infinity : Math.floor(this.#random.fraction() * 100);
    const killAfterMs = this.#random.fraction() * 40;
    const isEarly = !isLast && this.#random.fraction() < EARLY;
    const kill = (): boolean => child.kill('SIGKILL');
    const timer = isEarly ? setTimeout(kill, this.#random.fraction() * 120) : undefined;
    let isReady = false;
    let left = 0;
    let answers = 0;
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      if (line === 'ready') {
        isReady = true;
        left = this.#begin(child.stdin, isLast);
        if (!isLast) setTimeout(kill, killAfterMs);
      } else if (this.#hear(line) && isReady) {
        if (answers++ === killAfterAnswers) kill();
        if (left-- > 0 && !isLast) this.#send(child.stdin);
        if (isLast && this.#open.size === 0) child.stdin.end();
      }
    });
    await Promise.all([once(child, 'close'), once(lines, 'close')]);
    clearTimeout(timer);
    this.#tally.rounds++;
    if (!isReady && isEarly) this.#tally.early++;
    else if (!isReady) this.#tally.stuck++;
  }

  #begin(stdin: NodeJS.WritableStream, isLast: boolean): number {
    for (const [id, account] of this.#open) stdin.write(`${id} ${account}\n`);
    if (isLast && this.#open.size === 0) stdin.end();
    if (isLast) return 0;
    while (this.#open.size < AHEAD) this.#send(stdin);
    return ORDERS_MAX - AHEAD;
  }

  #send(stdin: NodeJS.WritableStream): void {
    const id = `${this.#order++}`;
    const account = Math.floor(this.#random.fraction() * ACCOUNTS);
    this.#open.set(id, account);
    this.#tally.sent++;
    stdin.write(`${id} ${account}\n`);
  }

  /** Whether the line is an answer. */
  #hear(line: string): boolean {
    const [what, id = '', count = '', newest = '[]'] = line.split(' ');
    if (what === 'seen') {
      if (this.#seen.has(id)) this.#tally.repeated++;
      this.#seen.add(id);
    } else if (what === 'open') this.#audit(Number(id), Number(count), JSON.parse(newest));
    else if (what === 'ack' || what === 'again') {
      this.#open.delete(id);
      this.#acknowledged.add(id);
      this.#tally.acknowledged++;
      return true;
    } else this.#tally.refused++;
    return false;
  }

  readonly #counts = new Map<number, number>();

  /** The last account's line completes the books of a start. */
  #audit(account: number, count: number, newest: readonly string[]): void {
    for (const id of newest) this.#applied.add(id);
    this.#counts.set(account, count);
    if (account !== ACCOUNTS - 1) return;
    const total = [...this.#counts.values()].reduce((sum, one) => sum + one, 0);
    this.#tally.twice += Math.max(0, total - this.#applied.size);
    for (const id of this.#acknowledged) if (!this.#applied.has(id)) this.#tally.lost++;
    for (const id of this.#seen) if (!this.#applied.has(id)) this.#tally.premature++;
    // Looked at once: what is there now is compared by its number from now on.
    if (total < this.#applied.size) this.#tally.lost += this.#applied.size - total;
  }
}
