/** Writes down what happens in a tree, so that somebody can look at it later. */
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import type { AnyMachineSnapshot } from 'xstate';
import type { Tree } from '../../../supervisor/index.ts';
import { VERSION as WRITER } from '../../version.ts';
import { DELTA_PERIOD_MS, LOG_ROWS_MAX } from '../recorder/bounds.ts';
import { activeOf } from '../recorder/chart-registry.ts';
import { Recorder } from '../recorder/recorder.ts';
import type { Delta } from '../recorder/recorder.ts';
import { shown } from '../recorder/redact.ts';
import { Ring } from '../recorder/ring.ts';
import type { Step } from '../ui/wire.types.ts';
import {
  CONTEXT_CHARACTERS,
  RECORDING_BYTES_MAX,
  RECORDING_LINES_MAX,
  ROWS_IN_A_LINE,
} from './bounds.ts';
import { FORMAT, VERSION } from './line.schema.ts';
import type { Header, RecordedLine } from './line.schema.ts';

export interface RecordOptions {
  /** When to end; what came until then is still given. Default: when the tree ends, or it is full. */
  readonly signal?: AbortSignal;
  /** Default the tree's root. */
  readonly title?: string;
  /** Bytes after which it is full. Default 64 MiB. */
  readonly bytesMax?: number;
}

/**
 * The lines of a recording, each as JSON without its end of line: what is there, then what happens,
 * ten times a second. Secrets are replaced, as on the page. It ends in order, with a line that says
 * why, when the signal says so, when the tree ends, or when it is full.
 */
export async function* recordTree(
  tree: Tree,
  options: RecordOptions = {},
): AsyncGenerator<string, void, undefined> {
  const { signal, title = tree.path, bytesMax = RECORDING_BYTES_MAX } = options;
  const taker = new Taker(tree);
  const ended = new AbortController();
  void tree.ended.then(() => ended.abort());
  const over = AbortSignal.any([ended.signal, ...(signal ? [signal] : [])]);
  let [bytes, lines] = [0, 0];
  const header: Header = {
    format: FORMAT,
    version: VERSION,
    writer: WRITER,
    title,
    startedAtMs: Date.now(),
  };
  try {
    yield JSON.stringify(header);
    for (let isFirst = true; ; isFirst = false) {
      const isLast = over.aborted;
      // An observer is told in a turn of its own: also of what is there, and of what came last.
      if (isFirst || isLast) await turn();
      for (const line of isFirst ? taker.first() : taker.next()) {
        const text = JSON.stringify(line);
        bytes += Buffer.byteLength(text) + 1;
        lines++;
        if (bytes > bytesMax || lines > RECORDING_LINES_MAX) {
          yield end('full');
          return;
        }
        yield text;
      }
      if (isLast) break;
      // Ended early, it goes around once more for what came meanwhile.
      await pause(DELTA_PERIOD_MS, undefined, { signal: over }).catch(() => undefined);
    }
    yield end(ended.signal.aborted ? 'the tree ended' : 'asked');
  } finally {
    taker.close();
  }
}

const end = (why: string): string =>
  JSON.stringify({ type: 'end', why, atMs: Date.now() } satisfies RecordedLine);

interface TakenStep {
  readonly path: string;
  readonly step: Omit<Step, 'context'>;
  readonly context: unknown;
}

/** Takes from the recorder of a tree what is new. */
class Taker {
  readonly #recorder: Recorder;
  /** As many as there can be lines of the log for: a reader that is slow loses both. */
  readonly #steps = new Ring<TakenStep>(LOG_ROWS_MAX);
  readonly #charts = new Set<string>();
  /** The last context of each actor: a machine makes a new one for each change. */
  readonly #contexts = new Map<string, unknown>();
  /** Number of the last line of the log. */
  #seq = 0;

  constructor(tree: Tree) {
    this.#recorder = new Recorder(tree, (path, step, context) =>
      this.#steps.push({ path, step, context }),
    );
  }

  close(): void {
    this.#recorder.close();
  }

  *first(): Generator<RecordedLine> {
    const delta = this.#recorder.all();
    this.#steps.clear();
    yield* this.#newCharts();
    for (const { path, incarnation, snapshot } of this.#recorder.actors()) {
      const { context, tags } = (snapshot ?? {}) as Partial<AnyMachineSnapshot>;
      this.#contexts.set(path, context);
      yield {
        type: 'actor',
        path,
        incarnation,
        active: activeOf(snapshot),
        tags: tags instanceof Set ? [...tags] : [],
        context: shown(context ?? null, CONTEXT_CHARACTERS),
      };
    }
    this.#seq = delta.log.at(-1)?.seq ?? 0;
    yield* rowsOf(delta, this.#seq);
  }

  *next(): Generator<RecordedLine> {
    const delta = this.#recorder.delta();
    const steps = this.#steps.toArray();
    this.#steps.clear();
    yield* this.#newCharts();
    for (const row of delta?.log ?? []) yield { type: 'log', ...row };
    for (const { path, step, context } of steps) {
      const isSame = this.#contexts.has(path) && this.#contexts.get(path) === context;
      this.#contexts.set(path, context);
      const line = {
        type: 'step',
        path,
        ...step,
        active: [...step.active],
        taken: [...step.taken],
      };
      yield (
        isSame ? line : { ...line, context: shown(context ?? null, CONTEXT_CHARACTERS) }
      ) as RecordedLine;
    }
    this.#seq = delta?.log.at(-1)?.seq ?? this.#seq;
    if (delta) yield* rowsOf(delta, this.#seq);
    for (const path of delta?.gone ?? []) this.#contexts.delete(path);
  }

  *#newCharts(): Generator<RecordedLine> {
    const { charts } = this.#recorder;
    for (const key of charts.keys()) {
      const known = charts.get(key);
      if (known === undefined || this.#charts.has(key)) continue;
      this.#charts.add(key);
      yield { type: 'chart', key, chart: known.chart };
    }
  }
}

function* rowsOf({ actors, gone }: Delta, seq: number): Generator<RecordedLine> {
  for (
    let from = 0;
    from < actors.length || (from === 0 && gone.length > 0);
    from += ROWS_IN_A_LINE
  )
    yield {
      type: 'rows',
      seq,
      actors: actors.slice(from, from + ROWS_IN_A_LINE),
      gone: from === 0 ? [...gone] : [],
    };
}
