import { connectControl } from '../../control/client.ts';
import type { AppStatus } from '../../control/mesh-control.ts';
import type { Run } from '../command.ts';
import { age, shortDigest } from '../format.ts';
import { hasIdentities, identityText } from '../identity-text.ts';
import { table } from '../table.ts';

/** Deployments that the text shows; `mesh history` has them all. */
const RECENT = 5;

export const run: Run = async ({ args, home, out }) => {
  const status = await connectControl(home).status(args['app'] ?? '');
  out.data(status, () => textOf(status, Date.now()));
  if (status.state === 'stopped')
    out.note(`It is stopped. Run it again: mesh run ${status.app} ${status.plan.digest}`);
};

function textOf(status: AppStatus, nowMs: number): string {
  const { plan, instances, slots, deployments } = status;
  const isCertified = hasIdentities(instances);
  const parts = [
    `${status.app}: ${status.state}${status.why === null ? '' : ` (${status.why})`}`,
    `generation ${String(plan.generation)}, version ${plan.version}, ` +
      `${shortDigest(plan.digest)}, ${String(plan.min)} to ${String(plan.max)} instances, ` +
      plan.strategy,
  ];
  if (instances.length > 0)
    parts.push(
      '',
      table(
        [
          'instance',
          'node',
          'role',
          'state',
          'pid',
          'port',
          'restarts',
          'age',
          ...(isCertified ? ['certificate'] : []),
        ],
        instances.map((row) => [
          row.instance,
          row.node,
          row.role,
          row.state,
          row.pid ?? '-',
          row.port ?? '-',
          row.restarts,
          age(row.since, nowMs),
          ...(isCertified ? [identityText(row, nowMs)] : []),
        ]),
      ),
    );
  const troubled = slots.filter(({ reason }) => reason !== null);
  if (troubled.length > 0)
    parts.push(
      '',
      ...troubled.map(({ node, state, reason }) => `${node} ${state}: ${reason?.message ?? ''}`),
    );
  if (deployments.length > 0)
    parts.push(
      '',
      table(
        ['generation', 'version', 'digest', 'outcome', 'age', 'reason'],
        deployments
          .slice(0, RECENT)
          .map((row) => [
            row.generation,
            row.version,
            shortDigest(row.digest),
            row.outcome,
            age(row.startedAtMs, nowMs),
            row.reason?.message ?? '',
          ]),
      ),
    );
  return parts.join('\n');
}
