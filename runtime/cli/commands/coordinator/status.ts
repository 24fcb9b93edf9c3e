import type { Run } from '../../command.ts';
import { addressOf, connectTo } from '../../coordinator/target.ts';
import { age, duration, shortDigest } from '../../format.ts';
import { table } from '../../table.ts';
import type { GetStatusResponse } from '../../../rpc/generated/user-api.ts';

/** Lines that still fit on a screen with the rest. */
const POLICIES_PRINTED_MAX = 32;

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
  policies: status.policies.map((policy) => ({
    identity: Buffer.from(policy.identity).toString('hex'),
    name: policy.name,
    role: policy.role,
    spiffeId: policy.spiffeId,
    san: policy.san,
    nodeKeys: policy.nodeKeys ?? null,
  })),
  policyCount: status.policyCount,
});

type Status = ReturnType<typeof plain>;

function textOf(status: Status, nowMs: number): string {
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
  return [facts, ...peersText(status), ...policiesText(status)].join('\n\n');
}

function peersText({ peers }: Status): readonly string[] {
  if (peers.length === 0) return [];
  const rows = peers.map((peer) => [
    peer.name,
    `${peer.host}:${String(peer.port)}`,
    peer.isLive ? (peer.state ?? 'configured') : 'gone',
  ]);
  return [table(['peer', 'address', 'state'], rows)];
}

/** Whom the manifest in force gives certificates, and under which name. */
function policiesText({ policies, policyCount }: Status): readonly string[] {
  if (policies.length === 0) return [];
  const shown = policies.slice(0, POLICIES_PRINTED_MAX);
  const rows = shown.map(({ name, role, spiffeId, identity }) => [
    name,
    role,
    spiffeId,
    shortDigest(identity),
  ]);
  const hidden = policyCount - shown.length;
  const more = hidden > 0 ? `\nand ${String(hidden)} more` : '';
  return [`${table(['policy', 'role', 'spiffe id', 'identity'], rows)}${more}`];
}
