/** Which machine runs at a path of the mesh's tree: paths name apps and instances, so no label has them. */
const ROWS: readonly (readonly [RegExp, string])[] = [
  [/^mesh\/worker-pool$/, 'worker-pool'],
  [/^mesh\/edge\/listener$/, 'edge'],
  [/^mesh\/edge\/targets\/[^/]+$/, 'target'],
  [/^mesh\/edge\/certificate$/, 'certificate'],
  [/^mesh\/agents\/[^/]+\/@agent$/, 'agent'],
  [/^mesh\/agents\/[^/]+\/@certificates\/[^/]+$/, 'certificate'],
  [/^mesh\/agents\/[^/]+\/@instances\/[^/]+$/, 'instance'],
  [/^mesh\/agents\/[^/]+\/[^@/][^/]*$/, 'agent-app'],
  [/^mesh\/rollouts\/[^/]+$/, 'rollout'],
  [/^mesh\/planner$/, 'planner'],
  [/^mesh\/gossip\/requesters\/[^/]+$/, 'requester'],
  [/^mesh\/gossip\/responders\/[^/]+$/, 'responder'],
  [/^mesh\/gossip\/outbox$/, 'outbox'],
  [/^mesh\/gossip\/expiry$/, 'expiry'],
  [/^mesh\/gossip\/inbox$/, 'inbox'],
  [/^mesh\/gossip\/sync$/, 'sync'],
];

/** The machine of a worker at that path; `other` for what a script added, `supervisor` for those. */
export function machineOf(path: string, kind: 'supervisor' | 'worker'): string {
  if (kind === 'supervisor') return 'supervisor';
  return ROWS.find(([pattern]) => pattern.test(path))?.[1] ?? 'other';
}
