import type { Tree } from '../../../supervisor/index.ts';

/** The part of the supervision tree that the workload's actors use; everything is named by path. */
export type Supervision = Pick<
  Tree,
  'send' | 'startChild' | 'terminateChild' | 'deleteChild' | 'snapshotOf' | 'watch'
>;
