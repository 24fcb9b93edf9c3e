/**
 * A hundred thousand messages into an empty peer: form, id, body hash and signature proven, then on
 * disk, against proving them alone, against `openssl speed ed25519`, and against bare SQLite inserts.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import nacl from 'tweetnacl';
import type { EnvelopeVerifier } from '../../actors/gossip/ports/envelopes.ts';
import type { PeerStore } from '../../actors/gossip/ports/peer-store.ts';
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';
import { systemClock } from '../../runtime/adapters/clock.system.ts';
import { openPeerStore } from '../../runtime/adapters/peer-store.sqlite.ts';
import { createWorkerPool } from '../../runtime/adapters/worker-pool.piscina.ts';
import { createEnvelopeVerifier } from '../../runtime/gossip/envelope-verifier.ts';
import {
  createPeerKey,
  encodeEnvelope,
  makeEnvelope,
} from '../../runtime/gossip/envelope-codec.ts';
import { cpuSecondsOf, missing, programOnPath, secondsOf } from './harness.ts';
import type { BenchPlan, Measure, Missing } from './harness.ts';

const MESSAGES = 100_000;
const AUTHORS = 64;
const BODY_BYTES = 200;
/** A full delivery. */
const BATCH = 500;
/** Deliveries under way at once: of four peers that are asked, half of what one asks at most. */
const LANES = 4;
const MESH = 'bench';
const TTL_SECONDS = 7 * 24 * 60 * 60;

const run = promisify(execFile);

interface World {
  readonly envelopes: readonly Envelope[];
  /** Public keys by peer id, as a delivery brings them. */
  readonly keys: Readonly<Record<string, string>>;
  readonly verifier: EnvelopeVerifier;
  readonly nowMs: number;
  readonly folder: string;
}

export function bench(): BenchPlan {
  const cores = availableParallelism();
  const pool = createWorkerPool();
  const folder = mkdtempSync(join(tmpdir(), 'mesh-bench-'));
  const nowMs = Date.now();
  const verifier = createEnvelopeVerifier({ meshId: MESH, pool });
  const world: World = { ...makeMessages(nowMs), verifier, nowMs, folder };
  const proven = () => prove(world);
  return {
    rows: [
      {
        metric: '100,000 messages into an empty peer, proven and stored',
        unit: '1/s',
        better: 'more',
        ours: perSecond(() => filled(world, (store) => proveAndStore(world, store))),
        peers: {
          'proven only': perSecond(proven),
          'openssl speed': openssl(cores),
          'bare SQLite inserts': perSecond(() => bareInserts(world)),
        },
      },
      {
        metric: 'messages proven and stored per CPU second, workers included',
        unit: '1/s',
        better: 'more',
        ours: perCpuSecond(() => filled(world, (store) => proveAndStore(world, store))),
        peers: { 'proven only': perCpuSecond(proven), 'openssl speed': openssl(1, []) },
      },
      {
        metric: '100,000 proven messages stored',
        unit: '1/s',
        better: 'more',
        ours: perSecond(() => filled(world, (store) => storeAll(world, store))),
        peers: { 'bare SQLite inserts': perSecond(() => bareInserts(world)) },
      },
    ],
    dispose: async () => {
      await pool.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function makeMessages(nowMs: number): Pick<World, 'envelopes' | 'keys'> {
  const authors = Array.from({ length: AUTHORS }, () =>
    createPeerKey(nacl.sign.keyPair().secretKey),
  );
  const envelopes = Array.from({ length: MESSAGES }, (_, seq) => {
    const author = authors[seq % AUTHORS];
    if (author === undefined) throw new Error('There is an author for each message.');
    const content = { meshId: MESH, kind: 'public', createdAtMs: nowMs, seq } as const;
    const body = Buffer.alloc(BODY_BYTES, `message ${seq} `);
    return makeEnvelope({ ...content, body, ttlSeconds: TTL_SECONDS }, author);
  });
  const keys = authors.map(({ id, publicKey }) => [id, Buffer.from(publicKey).toString('hex')]);
  return { envelopes, keys: Object.fromEntries(keys) as Record<string, string> };
}

const perSecond =
  (work: () => Promise<void>): Measure =>
  async () =>
    MESSAGES / (await secondsOf(work));

const perCpuSecond =
  (work: () => Promise<void>): Measure =>
  async () => {
    const from = cpuSecondsOf(process.pid);
    await work();
    return MESSAGES / (cpuSecondsOf(process.pid) - from);
  };

/** Several lanes take the next delivery each, until there is none. */
async function eachDelivery(
  { envelopes }: World,
  take: (delivery: readonly Envelope[]) => Promise<void>,
): Promise<void> {
  let from = 0;
  const lane = async (): Promise<void> => {
    while (from < envelopes.length) {
      const delivery = envelopes.slice(from, (from += BATCH));
      await take(delivery);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function proveDelivery(world: World, delivery: readonly Envelope[]): Promise<Envelope[]> {
  const opened = await world.verifier.open(delivery, world.nowMs);
  const sound = opened.flatMap((one) => (one.ok ? [one.envelope] : []));
  const checks = sound.map((envelope) => ({
    envelope,
    publicKey: world.keys[envelope.header.sender_id] ?? '',
  }));
  const verdicts = await world.verifier.verify(checks);
  const proven = sound.filter((_, at) => verdicts[at]);
  if (proven.length !== delivery.length) throw new Error('A sound message was refused.');
  return proven;
}

async function prove(world: World): Promise<void> {
  await eachDelivery(world, async (delivery) => {
    await proveDelivery(world, delivery);
  });
}

const settle = (world: World, store: PeerStore, proven: readonly Envelope[]) =>
  store.settle({
    nowMs: world.nowMs,
    keys: world.keys,
    verified: proven.map((envelope) => ({ envelope, from: 'bench' })),
    quarantined: [],
    rejected: [],
  });

const proveAndStore = (world: World, store: PeerStore): Promise<void> =>
  eachDelivery(world, async (delivery) => {
    await settle(world, store, await proveDelivery(world, delivery));
  });

const storeAll = (world: World, store: PeerStore): Promise<void> =>
  eachDelivery(world, async (delivery) => {
    await settle(world, store, delivery);
  });

async function filled(world: World, fill: (store: PeerStore) => Promise<void>): Promise<void> {
  const path = join(world.folder, 'peer.sqlite');
  const store = await openPeerStore({ path, clock: systemClock });
  try {
    await fill(store);
    const { messages } = await store.counts();
    if (messages !== MESSAGES) throw new Error(`${messages} messages were stored.`);
  } finally {
    await store.close();
    rmSync(path);
  }
}

/** A table of id and text, as small as a store can be, with the same commits. */
async function bareInserts({ envelopes, folder }: World): Promise<void> {
  const path = join(folder, 'bare.sqlite');
  const database = new DatabaseSync(path);
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 10000');
  database.exec('CREATE TABLE message (id BLOB PRIMARY KEY, text TEXT NOT NULL) STRICT');
  const insert = database.prepare('INSERT INTO message (id, text) VALUES (?, ?)');
  for (let from = 0; from < envelopes.length; from += BATCH) {
    database.exec('BEGIN IMMEDIATE');
    for (const envelope of envelopes.slice(from, from + BATCH))
      insert.run(
        Buffer.from(envelope.header.message_id, 'hex'),
        encodeEnvelope(envelope).toString('latin1'),
      );
    database.exec('COMMIT');
  }
  database.close();
  rmSync(path);
}

/** Without `-elapsed`, openssl divides by the CPU time it used. */
function openssl(processes: number, clock: readonly string[] = ['-elapsed']): Measure | Missing {
  if (programOnPath('openssl') === undefined) return missing('openssl is not installed');
  return async () => {
    const multi = processes > 1 ? ['-multi', `${processes}`] : [];
    const speed = ['speed', ...multi, ...clock, '-seconds', '1', 'ed25519'];
    const { stdout } = await run('openssl', speed);
    const verified = /([\d.]+)\s*$/.exec(stdout.trim())?.[1];
    if (verified === undefined) throw new Error(`openssl speed printed no rate:\n${stdout}`);
    return Number(verified);
  };
}
