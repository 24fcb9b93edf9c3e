import type { Run } from '../../command.ts';
import { addressOf, connectTo } from '../../coordinator/target.ts';
import { age, duration, shortDigest } from '../../format.ts';
import { table } from '../../table.ts';
import type { GetStatusResponse } from '../../../rpc/generated/user-api.ts';

/** Says how a Coordinator is doing, and why it is not ready. */
export const run: Run = async (invocation) => {
  const { out } = invocation;
  const address = await addressOf(invocation);
  await using client = await connectTo(address);
  const status = plain(await client.userApi.getStatus({}), address);
  out.data(status, () => textOf(status, Date.now()));
  if (status.state === 'empty')
    out.note('Set its first manifest: mesh coordinator set-manifest FILE');
  if (status.state === 'recovering' || status.state === 'stale')
    out.note('It asks its peers by itself. Without any: mesh coordinator recover');
};

const timeOf = (ms: bigint): string => new Date(Number(ms)).toISOString();

const plain = (
  status: GetStatusResponse,
  { host, port }: { readonly host: string; readonly port: number },
) => ({
  name: status.name,
  address: { host, port },
  state: status.state,
  reason: status.reason === '' ? null : status.reason,
  generation: status.generation === 0n ? null : Number(status.generation),
  transition:
    status.transitionHash.length === 0 ? null : Buffer.from(status.transitionHash).toString('hex'),
  meshCaNotAfter: status.meshCaNotAfterMs === 0n ? null : timeOf(status.meshCaNotAfterMs),
  peers: status.peers.map((peer) => ({
    name: peer.name,
    host: peer.host,
    port: peer.port,
    state: peer.state === '' ? null : peer.state,
    isLive: peer.live,
  })),
  lastRecoveryFailure:
    status.recoveryFailure === undefined
      ? null
      : { reason: status.recoveryFailure, message: status.recoveryFailureMessage },
  connections: {
    pending: status.pendingConnections,
    open: status.openConnections,
    refused: Number(status.refused),
  },
  startedAt: timeOf(status.startedAtMs),
});

function textOf(status: ReturnType<typeof plain>, nowMs: number): string {
  const { host, port } = status.address;
  const rows: (readonly [string, string])[] = [
    ['name', status.name],
    ['address', `https://${host}:${String(port)}`],
    ['state', status.state],
    ...(status.reason === null ? [] : [['why', status.reason] as const]),
    ['generation', status.generation === null ? '-' : String(status.generation)],
    ['transition', status.transition === null ? '-' : shortDigest(status.transition)],
    [
      'mesh CA',
      status.meshCaNotAfter === null
        ? '-'
        : `expires in ${duration(Date.parse(status.meshCaNotAfter) - nowMs)}`,
    ],
    [
      'connections',
      `${String(status.connections.open)} open, ${String(status.connections.pending)} pending, ` +
        `${String(status.connections.refused)} refused`,
    ],
    ['up', age(status.startedAt, nowMs)],
  ];
  if (status.lastRecoveryFailure !== null)
    rows.push([
      'recovery',
      `${status.lastRecoveryFailure.reason}: ${status.lastRecoveryFailure.message}`,
    ]);
  const facts = rows.map(([key, value]) => `${key.padEnd(12)} ${value}`).join('\n');
  if (status.peers.length === 0) return facts;
  const peers = status.peers.map((peer) => [
    peer.name,
    `${peer.host}:${String(peer.port)}`,
    peer.isLive ? (peer.state ?? 'configured') : 'gone',
  ]);
  return `${facts}\n\n${table(['peer', 'address', 'state'], peers)}`;
}
