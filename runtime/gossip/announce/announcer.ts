/** Posts what is news of a node's apps, each once, and no more than anybody wants to read. */
import { hash } from 'node:crypto';
import type { AppView, Fabric, Unsubscribe } from '../../../actors/workload/ports/fabric.ts';
import type { PeerStore } from '../../../actors/gossip/ports/peer-store.ts';
import { TTL_SECONDS_MAX } from '../../../machines/gossip/limits.ts';
import type { Clock } from '../../../machines/kernel/clock.ts';
import type { PeerDesk } from '../peer/peer-control.ts';
import { newsOf } from './news.ts';
import type { Looping } from './news.ts';

/** What an announcer works with. */
export interface AnnouncerParts {
  readonly fabric: Pick<Fabric, 'watchPlans' | 'watchApp'>;
  readonly desk: Pick<PeerDesk, 'post'>;
  /** Remembers what was said, also over a restart. */
  readonly store: Pick<PeerStore, 'markSeen'>;
  readonly clock: Clock;
  /** Told what could not be posted. */
  readonly notice: (what: string, error: unknown) => void;
}

/** Posts that may follow each other at once. */
export const BURST_MAX = 10;
/** And then one in so long: sixty an hour. Milliseconds. */
export const POST_PERIOD_MS = 60_000;

/** What was posted and what was not, since the start. */
export interface AnnouncerCounts {
  readonly posted: number;
  /** Over the rate: said in one sentence with the next post. */
  readonly withheld: number;
}

/**
 * Follows every app of the fabric. What is to be said is read from the state of the moment, so an
 * announcer that is slow misses nothing but what came and went in between. Each event is noted as
 * said before it is posted: a crash in between loses one announcement and never repeats one.
 */
export class Announcer {
  readonly #parts: AnnouncerParts;
  readonly #unsubscribe: Unsubscribe;
  readonly #apps = new Map<string, Unsubscribe>();
  readonly #looping = new Map<string, Looping>();
  /** The newest view of each app that is to be looked at; one per app at most. */
  readonly #waiting = new Map<string, AppView>();
  #work: Promise<void> = Promise.resolve();
  #isStopped = false;
  #tokens = BURST_MAX;
  #filledAtMs: number;
  #posted = 0;
  #withheld = 0;
  /** Withheld since the last post. */
  #untold = 0;

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
    this.#filledAtMs = parts.clock.monotonicNow();
    this.#unsubscribe = parts.fabric.watchPlans((plans) => {
      this.#follow(new Set(plans.map(({ app }) => app)));
    });
  }

  counts(): AnnouncerCounts {
    return { posted: this.#posted, withheld: this.#withheld };
  }

  /** Resolves when what was seen so far has been said or withheld. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** Hears nothing more; resolves when the post under way has ended. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unsubscribe();
    for (const unsubscribe of this.#apps.values()) unsubscribe();
    this.#apps.clear();
    this.#waiting.clear();
    await this.#work;
  }

  #follow(apps: ReadonlySet<string>): void {
    for (const [app, unsubscribe] of this.#apps)
      if (!apps.has(app)) {
        unsubscribe();
        this.#apps.delete(app);
        this.#looping.delete(app);
      }
    for (const app of apps)
      if (!this.#apps.has(app)) {
        // The listener is called before the subscription is there to be kept.
        this.#apps.set(app, () => undefined);
        const watch = this.#parts.fabric.watchApp(app, (view) => {
          if (view !== null) this.#look(app, view);
        });
        this.#apps.set(app, watch);
      }
  }

  #look(app: string, view: AppView): void {
    if (this.#isStopped) return;
    const isAwaited = this.#waiting.size > 0;
    this.#waiting.set(app, view);
    if (isAwaited) return;
    this.#work = this.#work.then(() => this.#sayAll());
  }

  async #sayAll(): Promise<void> {
    for (let next = this.#takeNext(); next !== undefined; next = this.#takeNext())
      try {
        await this.#say(next.app, next.view);
      } catch (error) {
        this.#parts.notice(`announcing what ${next.app} does`, error);
      }
  }

  #takeNext(): { readonly app: string; readonly view: AppView } | undefined {
    const first = this.#waiting.entries().next();
    if (first.done === true) return undefined;
    const [app, view] = first.value;
    this.#waiting.delete(app);
    return { app, view };
  }

  async #say(app: string, view: AppView): Promise<void> {
    const { store, clock, desk } = this.#parts;
    const before = this.#looping.get(app) ?? new Set();
    const { news, looping } = newsOf(view, { nowMs: clock.now(), looping: before });
    this.#looping.set(app, looping);
    const expiresAtMs = clock.now() + TTL_SECONDS_MAX * 1_000;
    for (const { key, text } of news) {
      const mark = { messageId: hash('sha256', `announcement ${key}`), expiresAtMs };
      const isNew = (await store.markSeen([mark])).length > 0;
      if (!isNew) continue;
      if (this.#isStopped || !this.#takeToken()) {
        this.#withheld++;
        this.#untold++;
        continue;
      }
      const rest = this.#untold === 0 ? '' : `\n(${this.#untold} further events were not posted)`;
      this.#untold = 0;
      await desk.post({ text: text + rest });
      this.#posted++;
    }
  }

  #takeToken(): boolean {
    const nowMs = this.#parts.clock.monotonicNow();
    const filled = Math.floor((nowMs - this.#filledAtMs) / POST_PERIOD_MS);
    if (filled > 0) {
      this.#tokens = Math.min(BURST_MAX, this.#tokens + filled);
      this.#filledAtMs += filled * POST_PERIOD_MS;
    }
    if (this.#tokens === 0) return false;
    this.#tokens--;
    return true;
  }
}
