import { codeOf } from '../../../../machines/kernel/coded-error.ts';
import { needRunningPeer, runningPeer } from '../../../gossip/peer/with-desk.ts';
import type { RunningPeer } from '../../../gossip/peer/peer-control.ts';
import type { Invocation, Run } from '../../command.ts';
import type { ExitCode } from '../../exit-code.ts';
import { messageLine } from '../../gossip/message-lines.ts';
import { count } from '../../option-values.ts';
import { onSignals } from '../../signals.ts';

const LINES_DEFAULT = 10;
/** How long a peer may be away, restarting, before this ends. Milliseconds. */
const AWAY_MAX_MS = 30_000;
const PAUSE_MS = 200;

/** Follows the messages until Ctrl-C, from row to row, also over a restart of the peer. */
export const run: Run = async (invocation) => {
  const lines = count(invocation, 'lines', { min: 0, max: 1_000 }) ?? LINES_DEFAULT;
  const from = count(invocation, 'after', { min: 0, max: 999_999_999 });
  const signals = onSignals();
  try {
    const peer = await needRunningPeer(invocation.home);
    const after = from ?? (await firstRow(peer, lines));
    return await follow(invocation, peer, after, signals);
  } finally {
    signals.release();
  }
};

/** The row before the newest `lines`. */
async function firstRow(peer: RunningPeer, lines: number): Promise<number> {
  const [first] = await peer.messages({ limit: Math.max(1, lines) });
  if (first === undefined) return 0;
  return lines === 0 ? first.row : first.row - 1;
}

async function follow(
  { home, out }: Invocation,
  first: RunningPeer,
  after: number,
  signals: ReturnType<typeof onSignals>,
): Promise<ExitCode> {
  let [peer, row]: [RunningPeer | undefined, number] = [first, after];
  while (!signals.signal.aborted) {
    try {
      for await (const message of peer.tail(row, signals.signal)) {
        out.data(message, () => messageLine(message));
        row = message.row;
      }
    } catch (error) {
      if (!isGone(error) && !signals.signal.aborted) throw error;
    }
    if (signals.signal.aborted) break;
    out.note('The peer is gone; waiting for it.');
    peer = await untilBack(home, signals.signal);
    if (peer === undefined) break;
  }
  return signals.exitCode();
}

async function untilBack(home: string, signal: AbortSignal): Promise<RunningPeer | undefined> {
  const deadlineMs = performance.now() + AWAY_MAX_MS;
  while (!signal.aborted) {
    const peer = await runningPeer(home);
    if (peer !== undefined) return peer;
    if (performance.now() > deadlineMs) return needRunningPeer(home);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return undefined;
}

const isGone = (error: unknown): boolean =>
  ['MESH_ERR_CONTROL_DISCONNECTED', 'MESH_ERR_CONTROL_UNREACHABLE'].includes(codeOf(error) ?? '');
