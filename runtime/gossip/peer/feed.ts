import type { FeedOptions, FeedServer } from '../../web/feed/feed-server.ts';
import type { FeedSource } from '../../web/feed/feed-app.ts';
import type { FeedInvitation } from './peer-control.ts';

/** The page of a peer's messages, opened when somebody asks for it. */
export class Feed {
  readonly #source: FeedSource;
  #running: Promise<FeedServer> | undefined;

  constructor(source: FeedSource) {
    this.#source = source;
  }

  /** Opens it, or gives a further address of the one that is open, unless another port is wanted. */
  async invite(options: Pick<FeedOptions, 'port'> = {}): Promise<FeedInvitation> {
    const running = await this.#running;
    if (running !== undefined && (options.port ?? running.port) !== running.port)
      await this.close();
    this.#running ??= this.#open(options);
    return { url: (await this.#running).invite() };
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await (await running)?.close();
  }

  async #open(options: FeedOptions): Promise<FeedServer> {
    // A web server that most peers never need.
    const { serveFeed } = await import('../../web/feed/feed-server.ts');
    try {
      return await serveFeed(this.#source, options);
    } catch (error) {
      this.#running = undefined;
      throw error;
    }
  }
}
