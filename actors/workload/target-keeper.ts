/** One target actor per endpoint: started when it appears, told to go when it is gone. */
import { DEFAULT_SETTINGS } from '../../machines/workload/instance-rules.ts';
import { TARGETS } from './paths.ts';
import type { EdgeTarget } from './ports/edge.ts';
import type { Notice } from './ports/instance.ts';
import type { Supervision } from './ports/supervision.ts';
import { targetChildSpec } from './target.actor.ts';
import type { createTargetLogic } from './target.actor.ts';

export interface TargetKeeperPorts {
  readonly tree: Supervision;
  readonly notice: Notice;
  readonly logic: ReturnType<typeof createTargetLogic>;
}

/** Gives what is to be called with all targets after each change. */
export function createTargetKeeper({ tree, notice, logic }: TargetKeeperPorts) {
  const kept = new Set<string>();
  const start = async ({ instance, app }: EdgeTarget): Promise<void> => {
    const unwatch = tree.watch(`${TARGETS}/${instance}`, ({ type, reason }) => {
      if (type === 'up' || reason?.type === 'error' || reason?.type === 'killed') return;
      unwatch();
      kept.delete(instance);
      if (reason?.type === 'normal')
        tree
          .deleteChild(TARGETS, instance)
          .catch((error: unknown) => notice(`forgetting the target ${instance}`, error));
    });
    const { drainTimeoutMs } = DEFAULT_SETTINGS;
    const spec = targetChildSpec(logic, { instance, app, drainTimeoutMs });
    const started = await tree.startChild(TARGETS, spec);
    if (started.ok) return;
    unwatch();
    kept.delete(instance);
  };
  return (targets: readonly EdgeTarget[]): void => {
    const wanted = new Set(targets.map(({ instance }) => instance));
    for (const instance of kept)
      if (!wanted.has(instance)) tree.send(`${TARGETS}/${instance}`, { type: 'remove' });
    for (const target of targets) {
      if (kept.has(target.instance)) continue;
      kept.add(target.instance);
      start(target).catch((error: unknown) =>
        notice(`starting the target ${target.instance}`, error),
      );
    }
  };
}
