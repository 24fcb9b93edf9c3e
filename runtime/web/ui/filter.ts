/**
 * What the filters of the tree and of the log understand: words separated by spaces, all of which must
 * hold. `state:failing`, `status:crashed`, `kind:instance`, `machine:edge`, `restarts>0`, `events>=10`;
 * anything else is looked for in the path and the text. A minus before a word turns it around.
 */
import type { ActorRow, LogRow } from './wire.types.ts';

type Test<Row> = (row: Row) => boolean;

interface Fields<Row> {
  readonly texts: Readonly<Record<string, (row: Row) => string>>;
  readonly numbers: Readonly<Record<string, (row: Row) => number>>;
  /** Where a bare word is looked for. */
  readonly whole: (row: Row) => string;
}

const ACTOR_FIELDS: Fields<ActorRow> = {
  texts: {
    state: (row) => row.state,
    status: (row) => row.status,
    kind: (row) => `${row.kind} ${row.machine ?? ''}`,
    machine: (row) => row.machine ?? '',
    path: (row) => row.path,
  },
  numbers: { restarts: (row) => row.restarts, events: (row) => row.events },
  whole: (row) => `${row.path} ${row.label ?? ''} ${row.state}`,
};

/** The fields of a line, and those of the actor that it is about. */
const logFields = (actorOf: (path: string) => ActorRow | undefined): Fields<LogRow> => {
  const ofActor = (name: string) => (row: LogRow) => {
    const actor = actorOf(row.path);
    return actor === undefined ? '' : (ACTOR_FIELDS.texts[name]?.(actor) ?? '');
  };
  const countOf = (name: 'restarts' | 'events') => (row: LogRow) => actorOf(row.path)?.[name] ?? 0;
  return {
    texts: {
      state: (row) => row.state ?? '',
      status: ofActor('status'),
      kind: (row) => `${row.kind} ${ofActor('kind')(row)}`,
      machine: ofActor('machine'),
      path: (row) => row.path,
      from: (row) => row.source ?? '',
      event: (row) => row.text,
    },
    numbers: { restarts: countOf('restarts'), events: countOf('events') },
    whole: (row) => `${row.kind} ${row.source ?? ''} ${row.path} ${row.text} ${row.state ?? ''}`,
  };
};

const COMPARISONS: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '=': (left, right) => left === right,
};

/** The test of a whole filter of the tree; an empty one lets everything pass. */
export const filterOf = (text: string): Test<ActorRow> => testOf(text, ACTOR_FIELDS);

/** The same grammar for lines of the log; what it says of an actor holds for the line's. */
export const logFilterOf = (
  text: string,
  actorOf: (path: string) => ActorRow | undefined,
): Test<LogRow> => testOf(text, logFields(actorOf));

function testOf<Row>(text: string, fields: Fields<Row>): Test<Row> {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const tests = words.map((word): Test<Row> => {
    if (!/^-./.test(word)) return testOfWord(word, fields);
    const opposite = testOfWord(word.slice(1), fields);
    return (row) => !opposite(row);
  });
  return (row) => tests.every((test) => test(row));
}

function testOfWord<Row>(word: string, { texts, numbers, whole }: Fields<Row>): Test<Row> {
  const [, name = '', operator = '', number = ''] = /^([a-z]+)(>=|<=|>|<|=)(\d+)$/.exec(word) ?? [];
  const [count, compare] = [numbers[name], COMPARISONS[operator]];
  if (count && compare) return (row) => compare(count(row), Number(number));
  const [, key = '', wanted = ''] = /^([a-z]+):(.+)$/.exec(word) ?? [];
  const text = Object.hasOwn(texts, key) ? texts[key] : undefined;
  if (text) return (row) => text(row).toLowerCase().includes(wanted);
  return (row) => whole(row).toLowerCase().includes(word);
}
