/**
 * A recording: JSON lines, UTF-8, the first of which is the header.
 *
 *     {"format":"mesh-recording","version":1,"writer":"0.1.0","title":"mesh","startedAtMs":…}
 *     {"type":"chart","key":"door","chart":{…}}            before the first actor that has it
 *     {"type":"actor","path":"house/door","incarnation":1,"active":[…],"tags":[…],"context":…}
 *     {"type":"rows","seq":12,"actors":[…],"gone":[…]}     lines of the tree, as they are after log line 12
 *     {"type":"log", …a line of the log}
 *     {"type":"step","path":"house/door", …a step, without its context where that stayed the same}
 *     {"type":"end","why":"asked","atMs":…}
 *
 * Secrets were replaced before anything came here. A reader takes version 1 with fields that it does
 * not know; without its end a recording is torn and still good up to there.
 *
 * Version 1: the first.
 */
import { z } from 'zod';
import type { Chart, ChartState } from '../../charts/chart.ts';
import type { ActorRow, Json, LogRow, Step } from '../ui/wire.types.ts';

export const FORMAT = 'mesh-recording';
export const VERSION = 1;

const PATH = z.string().min(1).max(1_024);
const TEXT = z.string().max(4_096);
const TEXTS = z.array(TEXT).max(10_000);
const SEQ = z.int().min(0);
const JSON_VALUE = z.json() as unknown as z.ZodType<Json>;

export const headerSchema = z.looseObject({
  format: z.literal(FORMAT),
  version: z.int().min(1),
  writer: TEXT,
  title: TEXT,
  startedAtMs: z.number(),
});

const chartState: z.ZodType<ChartState> = z.lazy(() =>
  z.object({
    id: TEXT,
    key: TEXT,
    type: z.enum(['atomic', 'compound', 'parallel', 'final', 'history']),
    initial: TEXT.exactOptional(),
    description: TEXT.exactOptional(),
    tags: TEXTS,
    entry: TEXTS,
    exit: TEXTS,
    invokes: TEXTS,
    transitions: z
      .array(
        z.object({
          id: TEXT,
          kind: z.enum(['event', 'after', 'always', 'done', 'error']),
          event: TEXT,
          source: TEXT,
          targets: TEXTS,
          guard: TEXT.exactOptional(),
          actions: TEXTS,
          label: TEXT,
        }),
      )
      .max(10_000),
    states: z.array(chartState).max(10_000),
  }),
);

const chart: z.ZodType<Chart> = z.object({ name: TEXT, root: chartState });

const row: z.ZodType<ActorRow> = z.object({
  path: PATH,
  id: TEXT,
  label: TEXT.exactOptional(),
  parent: PATH.nullable(),
  kind: z.enum(['supervisor', 'worker', 'own']),
  machine: TEXT.nullable(),
  state: TEXT,
  status: TEXT,
  restarts: z.number(),
  events: z.number(),
  sinceMs: z.number(),
});

const logRow = {
  seq: SEQ,
  atMs: z.number(),
  kind: z.enum(['event', 'start', 'restart', 'stop', 'crash', 'lost', 'timer', 'audit']),
  path: z.string().max(1_024),
  source: PATH.exactOptional(),
  text: TEXT,
  state: TEXT.exactOptional(),
  refusedBy: TEXT.exactOptional(),
};

const step = {
  seq: SEQ,
  atMs: z.number(),
  event: TEXT,
  active: TEXTS,
  taken: TEXTS,
  refusedBy: TEXT.exactOptional(),
  context: JSON_VALUE.exactOptional(),
};

export const lineSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('chart'), key: TEXT, chart }),
  z.object({
    type: z.literal('actor'),
    path: PATH,
    incarnation: z.int().min(0),
    active: TEXTS,
    tags: TEXTS,
    context: JSON_VALUE,
  }),
  z.object({
    type: z.literal('rows'),
    seq: SEQ,
    actors: z.array(row).max(100_000),
    gone: z.array(PATH).max(100_000),
  }),
  z.object({ type: z.literal('log'), ...logRow }),
  z.object({ type: z.literal('step'), path: PATH, ...step }),
  z.object({ type: z.literal('end'), why: TEXT, atMs: z.number() }),
]);

export type Header = z.infer<typeof headerSchema>;
export type RecordedLine = z.infer<typeof lineSchema>;
export type RecordedActor = Extract<RecordedLine, { type: 'actor' }>;

/** A step as it is kept: without its context where that is the one before. */
export type RecordedStep = Omit<Step, 'context'> & { readonly context?: Json };
export type { LogRow };
