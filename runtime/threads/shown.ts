/** What the thread of an actor shows of it to the inspector, beside its snapshots. */
import { StateMachine } from 'xstate';
import type { AnyActorLogic, EventObject } from 'xstate';
import type { TransitionDefinition } from '../../supervisor/index.ts';
import { chartOf } from '../charts/chart.ts';
import type { Chart } from '../charts/chart.ts';
import { transitionIdOf } from '../charts/transition-id.ts';

/** As it crosses; the chart comes once. */
export interface ShownByThread {
  readonly [field: string]: unknown;
  readonly chart?: Chart;
  /** Ids of the chart's transitions since the last snapshot that was told. */
  readonly taken: readonly string[];
  /** Type of the last event among those that led here. */
  readonly event: string;
}

/** Transitions that are told of one batch of mail. */
const TAKEN_MAX = 100;

/** Collects between two snapshots. */
export class ThreadShow {
  readonly #chart: Chart | undefined;
  #isTold = false;
  #taken: string[] = [];
  #event = 'xstate.init';

  constructor(logic: AnyActorLogic) {
    this.#chart = logic instanceof StateMachine ? chartOf(logic) : undefined;
  }

  delivered({ type }: EventObject): void {
    this.#event = type;
  }

  stepped(transitions: readonly TransitionDefinition[]): void {
    if (this.#taken.length < TAKEN_MAX) this.#taken.push(...transitions.map(transitionIdOf));
  }

  /** What is new; undefined of what is no machine. */
  take(): ShownByThread | undefined {
    if (this.#chart === undefined) return undefined;
    const taken = this.#taken;
    this.#taken = [];
    const shown = { taken, event: this.#event };
    if (this.#isTold) return shown;
    this.#isTold = true;
    return { ...shown, chart: this.#chart };
  }
}
