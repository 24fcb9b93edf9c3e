import type { Tree } from '../../../supervisor/index.ts';

/** The part of the supervision tree that the workload's actors use; everything is named by path. */
export interface Supervision extends Pick<
  Tree,
  'startChild' | 'terminateChild' | 'deleteChild' | 'snapshotOf' | 'watch'
> {
  send(path: string, event: { readonly type: string; readonly [key: string]: unknown }): boolean;
}
