/** Kills a relay again and again while mail goes through it, and keeps the books. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Random } from '../../../machines/kernel/random.ts';
import { CodedError } from '../../../machines/kernel/coded-error.ts';
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { systemRandom } from '../../../runtime/adapters/random.system.ts';
import { createRelayClient } from '../../../runtime/relay/client.ts';
import type { ClosableRelayClient } from '../../../runtime/relay/client.ts';
import { samplePeer } from './letters.ts';
import { letter } from './relay-world.ts';

const PROGRAM = fileURLToPath(new URL('relay-program.ts', import.meta.url));
const BATCH_MAX = 8;
/** Milliseconds of work before the kill, at most. */
const WORK_MS = 200;
/** Each fifth relay is killed while it starts. */
const EARLY = 0.2;
/** Part of what was read that is acknowledged; the rest has to come again. */
const ACKNOWLEDGED = 0.7;

/** Made once: a key pair costs milliseconds. */
const [ANN, BOB] = [samplePeer(1), samplePeer(2)];

/** What was found out, over all rounds. */
export interface RelayTally {
  kills: number;
  /** Killed before they were ready. */
  early: number;
  /** Answered 202, each once. */
  accepted: number;
  /** Posts without an answer, posted again by the next round. */
  unsure: number;
  /** Accepted, and never read. */
  lost: number;
  /** Read more often than once: at least once is what was promised. */
  duplicates: number;
  /** Read after their acknowledgement was answered. */
  risen: number;
  /** Read, and never posted. */
  invented: number;
  /** Answers that are no fault of a relay that dies. */
  refused: number;
}

/** See the head of this file. */
export class KilledRelay {
  readonly tally: RelayTally = {
    kills: 0,
    early: 0,
    accepted: 0,
    unsure: 0,
    lost: 0,
    duplicates: 0,
    risen: 0,
    invented: 0,
    refused: 0,
  };
  readonly #path: string;
  readonly #random: Random;
  readonly #env: NodeJS.ProcessEnv;
  readonly #posted = new Set<string>();
  readonly #accepted = new Set<string>();
  readonly #read = new Set<string>();
  readonly #acknowledged = new Set<string>();
  #unsure: Envelope[] = [];
  #seq = 0;
  #port = 0;

  constructor(path: string, cache: string, random: Random) {
    this.#path = path;
    this.#random = random;
    this.#env = { ...process.env, NODE_COMPILE_CACHE: cache, NODE_ENV: 'production' };
  }

  /** One relay, killed at a random moment of its work or its start. */
  async round(): Promise<void> {
    const isEarly = this.#random.fraction() < EARLY;
    const child = this.#start();
    const kill = (): boolean => child.kill('SIGKILL');
    const ended = once(child, 'close');
    const timer = isEarly ? setTimeout(kill, this.#random.fraction() * 150) : undefined;
    if (await this.#ready(child, ended)) {
      setTimeout(kill, this.#random.fraction() * WORK_MS);
      await this.#work(ended);
    } else this.tally.early++;
    await ended;
    clearTimeout(timer);
    this.tally.kills++;
  }

  /** The last relay: everything is posted, read and acknowledged, and it ends in order. */
  async settle(): Promise<void> {
    const child = this.#start();
    const ended = once(child, 'close');
    if (!(await this.#ready(child, ended))) throw new Error('The last relay did not start.');
    const clients = this.#clients();
    const { signal } = new AbortController();
    while (this.#unsure.length > 0) await this.#post(clients.ann, signal);
    while ((await this.#readSome(clients.bob, 1, signal)) > 0);
    for (const client of Object.values(clients)) client.close();
    child.stdin?.end();
    await ended;
    for (const id of this.#accepted) if (!this.#read.has(id)) this.tally.lost++;
    for (const id of this.#read) if (!this.#posted.has(id)) this.tally.invented++;
  }

  #start(): ChildProcess {
    const args = [PROGRAM, this.#path, String(this.#port)];
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    return spawn(process.execPath, args, { stdio: [...stdio], env: this.#env });
  }

  async #ready(child: ChildProcess, ended: Promise<unknown>): Promise<boolean> {
    if (!child.stdout) throw new Error('A pipe was asked for.');
    const lines = createInterface({ input: child.stdout });
    const first = await Promise.race([once(lines, 'line'), ended.then(() => undefined)]);
    const port = /^ready (\d+)$/.exec(String(first?.[0]))?.[1];
    if (port !== undefined) this.#port = Number(port);
    return port !== undefined;
  }

  #clients(): { readonly ann: ClosableRelayClient; readonly bob: ClosableRelayClient } {
    const url = `http://127.0.0.1:${this.#port}`;
    const options = { url, clock: systemClock, random: systemRandom };
    return {
      ann: createRelayClient({ ...options, key: ANN }),
      bob: createRelayClient({ ...options, key: BOB }),
    };
  }

  /** Two who post and two who read, side by side, until the relay is dead. */
  async #work(ended: Promise<unknown>): Promise<void> {
    const clients = this.#clients();
    const ending = new AbortController();
    void ended.then(() => ending.abort());
    const { signal } = ending;
    const until = async (act: () => Promise<unknown>): Promise<void> => {
      while (!signal.aborted) await this.#tolerating(act);
    };
    const read = () => this.#readSome(clients.bob, ACKNOWLEDGED, signal);
    const post = () => this.#post(clients.ann, signal);
    await Promise.all([post, post, read, read].map(until));
    for (const client of Object.values(clients)) client.close();
  }

  /** A relay that dies answers nothing; anything else is a fault. */
  async #tolerating(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      if (error.code !== 'MESH_ERR_RELAY_UNAVAILABLE') this.tally.refused++;
    }
  }

  async #post(client: ClosableRelayClient, signal: AbortSignal): Promise<void> {
    const old = this.#unsure.splice(0, BATCH_MAX);
    const count = old.length > 0 ? 0 : 1 + Math.floor(this.#random.fraction() * BATCH_MAX);
    const fresh = Array.from({ length: count }, () => letter(ANN, BOB, this.#seq++));
    const batch = [...old, ...fresh];
    for (const { header } of batch) this.#posted.add(header.message_id);
    const results = await client.post(batch, signal).catch((error: unknown) => {
      this.tally.unsure += batch.length;
      this.#unsure.push(...batch);
      throw error;
    });
    for (const [at, { header }] of batch.entries()) {
      const isThere = results[at]?.type === 'accepted' || results[at]?.type === 'duplicate';
      if (!isThere) this.tally.refused++;
      else if (!this.#accepted.has(header.message_id)) this.tally.accepted++;
      if (isThere) this.#accepted.add(header.message_id);
    }
  }

  async #readSome(client: ClosableRelayClient, part: number, signal: AbortSignal): Promise<number> {
    const items = await client.lease(32, signal);
    const acks = new Map<string, string>();
    for (const { lease, envelope } of items) {
      const id = (envelope as Envelope).header.message_id;
      if (this.#acknowledged.has(id)) this.tally.risen++;
      if (this.#read.has(id)) this.tally.duplicates++;
      this.#read.add(id);
      if (this.#random.fraction() < part) acks.set(lease, id);
    }
    if (acks.size === 0) return items.length;
    await client.ack([...acks.keys()], signal);
    for (const id of acks.values()) this.#acknowledged.add(id);
    return items.length;
  }
}
