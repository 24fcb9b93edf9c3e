/** A relay of one spec, and requests to it by hand. */
import { request as httpRequest } from 'node:http';
import { randomBytes } from 'node:crypto';
import type { ClosableRelayClient } from '../../../runtime/relay/client.ts';
import { createRelayClient } from '../../../runtime/relay/client.ts';
import { startRelay } from '../../../runtime/relay/relay.ts';
import type { Relay, RelayOptions } from '../../../runtime/relay/relay.ts';
import { requestBodyHash, signRequest } from '../../../runtime/relay/request-proof.ts';
import { encodeEnvelope } from '../../../runtime/gossip/envelope-codec.ts';
import type { PeerKey } from '../../../runtime/gossip/envelope-codec.ts';
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { systemRandom } from '../../../runtime/adapters/random.system.ts';
import { scratch } from '../scratch.ts';
import { metaMessage, publicMessage } from './letters.ts';

/** What a spec may change of a request that is otherwise right. */
export interface ByHand {
  readonly method?: string;
  readonly body?: Uint8Array | string;
  readonly relay?: string;
  readonly signedPath?: string;
  readonly signedBody?: Uint8Array | string;
  readonly timeMs?: number;
  readonly nonce?: string;
  /** Instead of a proof. */
  readonly authorization?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Said {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Of a refusal. */
  readonly code: string | undefined;
}

export interface RelayWorld extends AsyncDisposable {
  readonly relay: Relay;
  client(peer: PeerKey): ClosableRelayClient;
  /** A signed request of that peer. */
  ask(peer: PeerKey, path: string, change?: ByHand): Promise<Said>;
  /** The relay once more, on the same inboxes and port. */
  restart(): Promise<void>;
}

/** A relay on a free port of the loopback, gone with the spec. */
export async function relayWorld(options: Partial<RelayOptions> = {}): Promise<RelayWorld> {
  const folder = scratch();
  const clients: ClosableRelayClient[] = [];
  const start = (port: number) =>
    startRelay({ path: folder.file('relay.sqlite'), port, ...options });
  let relay = await start(0);
  return {
    get relay() {
      return relay;
    },
    client(key) {
      const client = createRelayClient({
        url: relay.url,
        key,
        clock: systemClock,
        random: systemRandom,
      });
      clients.push(client);
      return client;
    },
    ask: (peer, path, change = {}) => ask(relay.url, peer, path, change),
    async restart() {
      const { port } = relay;
      await relay.stop();
      relay = await start(port);
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await relay.stop();
      folder[Symbol.dispose]();
    },
  };
}

async function ask(url: string, peer: PeerKey, path: string, change: ByHand): Promise<Said> {
  const body = change.body === undefined ? undefined : Buffer.from(change.body);
  const method = change.method ?? (body === undefined ? 'GET' : 'POST');
  const signedBody = change.signedBody === undefined ? body : Buffer.from(change.signedBody);
  const facts = {
    relay: change.relay ?? url,
    method,
    path: change.signedPath ?? path,
    bodyHash: requestBodyHash(signedBody),
    timeMs: change.timeMs ?? Date.now(),
    nonce: change.nonce ?? randomBytes(16).toString('hex'),
  };
  const authorization = change.authorization ?? signRequest(facts, peer);
  const headers = {
    ...(change.authorization === null ? {} : { authorization }),
    ...(body === undefined ? {} : { 'content-length': String(body.length) }),
    ...change.headers,
  };
  return send(new URL(path, url), method, headers, body);
}

async function send(
  url: URL,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer | undefined,
): Promise<Said> {
  const { promise, resolve, reject } = Promise.withResolvers<Said>();
  const request = httpRequest(url, { method, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const code = /"code":"(MESH_ERR_[A-Z_]+)"/.exec(text)?.[1];
      resolve({ status: response.statusCode ?? 0, text, headers: response.headers, code });
    });
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}

/** A meta message of now, which a relay on the machine's clock takes. */
export const letter = (from: PeerKey, to: PeerKey, seq = 0, body = `letter ${seq}`): Envelope =>
  metaMessage(from, to, seq, { createdAtMs: Date.now(), body: Buffer.from(body) });

/** A public one of now. */
export const post = (from: PeerKey, seq = 0): Envelope =>
  publicMessage(from, seq, { createdAtMs: Date.now() });

/** A body of POST /envelopes. */
export const lines = (...envelopes: readonly Envelope[]): Buffer =>
  Buffer.concat(envelopes.flatMap((one) => [encodeEnvelope(one), Buffer.from('\n')]));

/** The lines of an answer. */
export const linesIn = ({ text }: Said): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
