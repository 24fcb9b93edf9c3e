/** Answers what a page asks of a recording, as the tree itself would have. */
import { layoutOf } from '../../charts/layout.ts';
import type { Layout } from '../../charts/layout.types.ts';
import { STEPS_MAX } from '../recorder/bounds.ts';
import type { Question } from '../server/link.types.ts';
import type { RecordingInfo } from '../ui/views.types.ts';
import type { ActorDetails, Json, LogRow, MachineRow, Step } from '../ui/wire.types.ts';
import type { RecordedPath, Recorded } from './recording.types.ts';
import { Moment } from './moment.ts';

const NOT_RECORDED = {
  available: false,
  why: 'A recording has the actors of a tree alone.',
  hint: 'Close the recording to see what runs.',
} as const;

/** One recording, for all who look at it. */
export class Replay {
  readonly #recorded: Recorded;
  readonly #layouts = new Map<string, Promise<Layout>>();

  constructor(recorded: Recorded) {
    this.#recorded = recorded;
  }

  get info(): RecordingInfo {
    return this.#recorded.info;
  }

  get log(): readonly LogRow[] {
    return this.#recorded.log;
  }

  /** At its end; each viewer has one of its own. */
  moment(): Moment {
    return new Moment(this.#recorded);
  }

  /** Undefined where the recording has no such thing. */
  async answer(question: Question): Promise<unknown> {
    switch (question.what) {
      case 'tree':
        return this.moment().rows();
      case 'log':
        return this.log;
      case 'machines':
        return this.#machines();
      case 'machine':
        return this.#drawn(question.key);
      case 'actor':
        return this.detailsAt(this.moment(), question.path);
      case 'coverage':
      case 'view':
        return NOT_RECORDED;
      case 'rollback':
        return undefined;
    }
  }

  /** As it was at that moment, with the steps around it. */
  detailsAt(moment: Moment, path: string): ActorDetails | undefined {
    const row = moment.row(path);
    if (row === undefined) return undefined;
    const { first, steps }: RecordedPath = this.#recorded.paths.get(path) ?? {
      first: undefined,
      steps: [],
    };
    const done = steps.findLastIndex(({ seq }) => seq <= moment.seq) + 1;
    const from = Math.max(0, Math.min(done - STEPS_MAX / 2, steps.length - STEPS_MAX));
    const whole = completed(first?.context ?? null, steps);
    const current = done === 0 ? undefined : whole[done - 1];
    return {
      path,
      incarnation: first?.incarnation ?? 1,
      machine: row.machine,
      status: row.status,
      active: current?.active ?? first?.active ?? [],
      tags: [],
      accepts: [],
      context: current?.context ?? first?.context ?? null,
      steps: whole.slice(from, from + STEPS_MAX),
    };
  }

  async #drawn(key: string) {
    const known = this.#recorded.machines.get(key);
    if (known === undefined) return undefined;
    const layout = this.#layouts.get(key) ?? layoutOf(known.chart);
    this.#layouts.set(key, layout);
    return { chart: known.chart, layout: await layout };
  }

  /** As they stood at the end. */
  #machines(): MachineRow[] {
    const { machines, paths } = this.#recorded;
    const rows = new Map<string, { actors: number; standing: Record<string, number> }>(
      [...machines.keys()].map((key) => [key, { actors: 0, standing: {} }]),
    );
    for (const { path, machine } of this.moment().rows()) {
      const row = machine === null ? undefined : rows.get(machine);
      if (row === undefined) continue;
      row.actors++;
      const known = paths.get(path);
      for (const state of known?.steps.at(-1)?.active ?? known?.first?.active ?? [])
        row.standing[state] = (row.standing[state] ?? 0) + 1;
    }
    return [...rows].map(([key, row]) => ({
      key,
      name: machines.get(key)?.chart.name ?? key,
      ...row,
    }));
  }
}

/** Each with its context, which is the one before where it is not said. */
function completed(first: Json, steps: RecordedPath['steps']): Step[] {
  let context = first;
  return steps.map((step) => {
    context = step.context ?? context;
    return { ...step, context };
  });
}
