/** Relays and peers in processes of their own, so that a spec can kill them. Also their program. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../../machines/kernel/clock.ts';
import type { RunningPeer, SyncStep } from '../../../runtime/gossip/peer/peer-control.ts';
import { peerPaths } from '../../../runtime/gossip/peer/peer-home.ts';
import { connectPeer } from '../../../runtime/gossip/peer/socket/client.ts';
import { startPeer } from '../../../runtime/gossip/peer/start-peer.ts';
import { startRelay } from '../../../runtime/relay/relay.ts';
import { scratch } from '../scratch.ts';
import { fastClock } from './fast-clock.ts';

/** Stripped and compiled sources, for the dozens of processes of one spec. */
const CACHE = join(tmpdir(), 'mesh-compile-cache');
const PROGRAM = fileURLToPath(import.meta.url);

interface Program {
  readonly what: 'relay' | 'peer';
  readonly home: string;
  readonly originMs: number;
  readonly factor: number;
  readonly port?: number;
  readonly relay?: string;
  readonly reconciles?: boolean;
}

interface Running {
  /** What it said when it was ready. */
  readonly said: string;
  readonly pid: number;
  end(signal: NodeJS.Signals): Promise<void>;
}

async function run(program: Program): Promise<Running> {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(program)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: CACHE },
  });
  const ended = once(child, 'exit');
  const [said] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>,
    ended.then(() => Promise.reject(new Error(`The ${program.what} ended before it ran.`))),
  ]);
  return {
    said,
    pid: child.pid ?? 0,
    end: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}

/** A peer that is on or off; its folder stays. */
export interface PeerProcess {
  readonly name: string;
  readonly home: string;
  readonly control: RunningPeer;
  /** Public key in hex. */
  readonly key: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Asks those that it knows, and resolves with how that ended. */
  sync(): Promise<SyncStep['peers']>;
  /** All texts, in the order in which they came. */
  texts(): Promise<(string | null)[]>;
}

/** A relay, and as many peers as one likes, in time that passes `factor` times as fast. */
export interface PeerProcesses extends AsyncDisposable {
  readonly relayUrl: string;
  /** Of all of them. */
  readonly clock: Clock;
  killRelay(): Promise<void>;
  /** On the port and the inboxes of before. */
  startRelay(): Promise<void>;
  /** A new peer; it knows those by their keys. */
  peer(
    name: string,
    knows?: readonly PeerProcess[],
    options?: { readonly reconciles?: boolean },
  ): Promise<PeerProcess>;
}

export async function peerProcesses(factor: number): Promise<PeerProcesses> {
  const folder = scratch();
  const originMs = Date.now();
  const relayHome = folder.file('relay');
  mkdirSync(relayHome);
  let relay = await run({ what: 'relay', home: relayHome, originMs, factor });
  const relayUrl = relay.said;
  const port = Number(new URL(relayUrl).port);
  const peers: PeerProcess[] = [];
  return {
    relayUrl,
    clock: fastClock(originMs, factor),
    killRelay: () => relay.end('SIGKILL'),
    startRelay: async () => {
      relay = await run({ what: 'relay', home: relayHome, originMs, factor, port });
    },
    peer: async (name, knows = [], options = {}) => {
      const program: Program = {
        what: 'peer',
        home: folder.file(name),
        originMs,
        factor,
        relay: relayUrl,
        ...options,
      };
      const peer = await startPeerProcess(name, program);
      for (const one of knows) await peer.control.addPeer({ publicKey: one.key, name: one.name });
      peers.push(peer);
      return peer;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(peers.map((one) => one.stop()));
      await relay.end('SIGTERM');
      folder[Symbol.dispose]();
    },
  };
}

async function startPeerProcess(name: string, program: Program): Promise<PeerProcess> {
  const { home } = program;
  let running = await run(program);
  const control = connectPeer(peerPaths(home).socket);
  const { publicKey: key } = await control.info();
  return {
    name,
    home,
    key,
    control,
    start: async () => {
      running = await run(program);
    },
    stop: () => running.end('SIGTERM'),
    kill: () => running.end('SIGKILL'),
    sync: async () => {
      let last: SyncStep | undefined;
      for await (const step of control.sync({}, AbortSignal.timeout(30_000))) last = step;
      return last?.peers ?? [];
    },
    texts: async () => {
      const texts: (string | null)[] = [];
      for (let after = 0; ;) {
        const rows = await control.messages({ after, limit: 1_000 });
        texts.push(...rows.map(({ text }) => text));
        const last = rows.at(-1);
        if (last === undefined) return texts;
        after = last.row;
      }
    },
  };
}

async function main(program: Program): Promise<void> {
  const clock = fastClock(program.originMs, program.factor);
  const { what, home, port = 0, relay = '', reconciles = true } = program;
  if (what === 'relay') {
    const running = await startRelay({ path: join(home, 'relay.sqlite'), port, clock });
    process.once('SIGTERM', () => void running.stop());
    process.stdout.write(`${running.url}\n`);
    return;
  }
  const peer = await startPeer({ home, relay, clock, reconciles });
  process.once('SIGTERM', () => void peer.stop());
  process.stdout.write('ready\n');
}

if (process.argv[1] === PROGRAM) await main(JSON.parse(process.argv[2] ?? '') as Program);
