/**
 * A whole program that is to be killed at any moment: `store-program.ts FILE FROM`. It says how many
 * messages it found and how many of those before FROM are missing, then stores more, ten at a time,
 * and prints `stored SEQ` and `number N` for what is durable.
 */
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { openPeerStore } from '../../../runtime/adapters/peer-store.sqlite.ts';
import { publicMessage, samplePeer } from './letters.ts';

const [path = '', from = '0'] = process.argv.slice(2);
const BATCH = 10;
const author = samplePeer(1);
const messagesOf = (first: number) =>
  Array.from({ length: BATCH }, (_, at) => publicMessage(author, first + at));
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const store = await openPeerStore({ path, clock: systemClock });
let missing = 0;
for (let first = 0; first < Number(from); first += BATCH) {
  const ids = messagesOf(first).map(({ header }) => header.message_id);
  missing += (await store.missingOf(ids)).length;
}
say(`found ${(await store.counts()).messages} ${missing}`);

const keys = { [author.id]: Buffer.from(author.publicKey).toString('hex') };
for (let first = Number(from); ; first += BATCH) {
  const nowMs = systemClock.now();
  const verified = messagesOf(first).map((envelope) => ({ envelope, from: author.id }));
  const [seq] = await Promise.all([
    store.nextSeq(),
    store.settle({ nowMs, keys, verified, quarantined: [], rejected: [] }),
  ]);
  say(`number ${seq}`);
  say(`stored ${first + BATCH}`);
}
