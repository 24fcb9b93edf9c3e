import { peerError } from '../../../gossip/errors.ts';
import type { SyncPeer, SyncStep } from '../../../gossip/peer/peer-control.ts';
import { runningPeer } from '../../../gossip/peer/with-desk.ts';
import type { Invocation, Run } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import type { ExitCode } from '../../exit-code.ts';
import { counted } from '../../format.ts';
import { harmless, peerName } from '../../gossip/message-lines.ts';
import { count } from '../../option-values.ts';
import { createProgress } from '../../progress.ts';
import { relayOf } from '../../gossip/relay-setting.ts';
import { onSignals } from '../../signals.ts';
import type { Signals } from '../../signals.ts';

const TIMEOUT_S_DEFAULT = 600;
const DAY_S = 86_400;
/** Ends of a session that leave nothing to ask for now. */
const GOOD = new Set(['done', 'interval']);

/** Asks other peers for what was missed, and shows how far that is; runs a peer where none runs. */
export const run: Run = async (invocation) => {
  const { home, settings } = invocation;
  const timeoutS = count(invocation, 'timeout', { min: 1, max: DAY_S }) ?? TIMEOUT_S_DEFAULT;
  const signals = onSignals();
  try {
    const running = await runningPeer(home);
    if (running !== undefined) return await follow(invocation, running, signals, timeoutS);
    const all = await settings();
    const { startPeer } = await import('../../../gossip/peer/start-peer.ts');
    const own = await startPeer({ home, meshId: all.meshId, relay: relayOf(all) });
    try {
      return await follow(invocation, own, signals, timeoutS);
    } finally {
      await own.stop();
    }
  } finally {
    signals.release();
  }
};

async function follow(
  { args, out }: Invocation,
  peer: {
    sync(request: { peer?: string }, signal: AbortSignal): AsyncIterable<SyncStep>;
  },
  signals: Signals,
  timeoutS: number,
): Promise<ExitCode> {
  const deadline = AbortSignal.timeout(timeoutS * 1_000);
  const signal = AbortSignal.any([deadline, signals.signal]);
  const progress = createProgress(out);
  let last: SyncStep | undefined;
  try {
    const who = args['peer'];
    for await (const step of peer.sync(who === undefined ? {} : { peer: who }, signal)) {
      last = step;
      progress.update(...stepText(step));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.end();
  }
  if (signals.signal.aborted) return signals.exitCode();
  return report(out, last?.peers ?? [], timeoutS);
}

/** What the line says, and how far all is: each peer counts the same, by what it still misses. */
function stepText({ peers }: SyncStep): [string, number] {
  const ended = peers.filter(({ state }) => state === 'ended').length;
  const stored = peers.reduce((sum, one) => sum + one.stored, 0);
  const missing = peers.reduce((sum, one) => sum + one.missing, 0);
  const shares = peers.map((one) =>
    one.state === 'ended' ? 1 : (0.9 * one.stored) / Math.max(1, one.stored + one.missing),
  );
  const share = shares.reduce((sum, one) => sum + one, 0) / Math.max(1, peers.length);
  const text = `${ended} of ${counted(peers.length, 'peer')}, ${stored} received, ${missing} to come`;
  return [text, share];
}

function report(out: Invocation['out'], peers: readonly SyncPeer[], timeoutS: number): ExitCode {
  if (peers.length === 0) out.note('No peer was added: mesh peer add KEY --name NAME');
  const bad = peers.filter(({ outcome }) => !GOOD.has(outcome ?? ''));
  if (bad.length === 0) {
    if (peers.length > 0 || out.json) out.data(peers, () => peers.map(line).join('\n'));
    return EXIT.ok;
  }
  const names = bad.map(
    ({ peerId, name, outcome }) => `${peerName(peerId, name)}: ${outcome ?? 'not ended'}`,
  );
  throw peerError(
    'MESH_ERR_PEER_SYNC',
    `Asking ${counted(peers.length, 'peer')} for at most ${timeoutS} s: ${names.join(', ')}.`,
    { details: { peers } },
  );
}

function line({ peerId, name, outcome, stored, refused }: SyncPeer): string {
  const what =
    outcome === 'interval' ? 'asked a moment ago' : `${counted(stored, 'message')} received`;
  const bad = refused === 0 ? '' : `, ${counted(refused, 'message')} refused`;
  return `${harmless(peerName(peerId, name))}: ${what}${bad}`;
}
