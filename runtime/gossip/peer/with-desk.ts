/** A peer's desk for one command, whether or not a program runs the peer. */
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { systemClock } from '../../adapters/clock.system.ts';
import { isLiving } from '../../control/living.ts';
import { openSocketPath } from '../../control/socket-path.ts';
import { peerError } from '../errors.ts';
import type { PeerDesk, RunningPeer } from './peer-control.ts';
import { peerPaths } from './peer-home.ts';
import { connectPeer } from './socket/client.ts';

/** Another command has the store for milliseconds, a program that starts a peer for a second. */
const STORE_WAIT_MS = 5_000;
const PAUSE_MS = 25;

/**
 * Runs `act` at the running peer of that home, or at its store where none runs. Rejects as `act`
 * does, with what the key and the store reject with, and with MESH_ERR_PEER_STORE_LOCKED where
 * another program keeps the store and does not answer.
 */
export async function withDesk<Value>(
  home: string,
  meshId: string,
  act: (desk: PeerDesk) => Promise<Value>,
): Promise<Value> {
  const deadlineMs = systemClock.monotonicNow() + STORE_WAIT_MS;
  for (;;) {
    const running = await runningPeer(home);
    if (running !== undefined) return act(running);
    const { openDesk } = await import('./open-desk.ts');
    let opened: Awaited<ReturnType<typeof openDesk>>;
    try {
      opened = await openDesk(home, meshId);
    } catch (error) {
      const isLocked = codeOf(error) === 'MESH_ERR_PEER_STORE_LOCKED';
      if (!isLocked || systemClock.monotonicNow() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      continue;
    }
    try {
      return await act(opened.desk);
    } finally {
      await opened.close();
    }
  }
}

/** The peer that a program runs in that home; undefined where none does. */
export async function runningPeer(home: string): Promise<RunningPeer | undefined> {
  const { socket } = peerPaths(home);
  return (await isAnswering(socket)) ? connectPeer(socket) : undefined;
}

/** As `runningPeer`; MESH_ERR_PEER_NOT_RUNNING where none does. */
export async function needRunningPeer(home: string): Promise<RunningPeer> {
  const peer = await runningPeer(home);
  if (peer !== undefined) return peer;
  throw peerError('MESH_ERR_PEER_NOT_RUNNING', `No peer runs in ${home}.`);
}

async function isAnswering(socket: string): Promise<boolean> {
  let reached: ReturnType<typeof openSocketPath>;
  try {
    reached = openSocketPath(socket);
  } catch {
    // Its folder is not there: no peer was ever here.
    return false;
  }
  try {
    return await isLiving(reached.path);
  } finally {
    reached.close();
  }
}
