/** A recording in memory. */
import type { Chart } from '../../charts/chart.ts';
import type { RecordingInfo } from '../ui/views.types.ts';
import type { LogRow } from '../ui/wire.types.ts';
import type { RecordedActor, RecordedLine, RecordedStep } from './line.schema.ts';

/** What one actor was and did. */
export interface RecordedPath {
  first: RecordedActor | undefined;
  readonly steps: RecordedStep[];
}

export interface KnownMachine {
  readonly key: string;
  readonly chart: Chart;
}

export interface Recorded {
  readonly info: RecordingInfo;
  readonly log: readonly LogRow[];
  /** What changes lines of the tree, in order. */
  readonly changes: readonly Extract<RecordedLine, { type: 'log' | 'rows' }>[];
  readonly paths: ReadonlyMap<string, RecordedPath>;
  readonly machines: ReadonlyMap<string, KnownMachine>;
}
