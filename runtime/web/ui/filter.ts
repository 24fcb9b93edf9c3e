/**
 * What the filter of the tree understands: words separated by spaces, all of which must hold.
 * `state:failing`, `status:crashed`, `kind:supervisor`, `machine:instance`, `restarts>0`, `events>=10`;
 * anything else is looked for in path and state.
 */
import type { ActorRow } from './wire.types.ts';

type Test = (row: ActorRow) => boolean;

const TEXTS: Readonly<Record<string, (row: ActorRow) => string>> = {
  state: (row) => row.state,
  status: (row) => row.status,
  kind: (row) => row.kind,
  machine: (row) => row.machine ?? '',
  path: (row) => row.path,
};

const NUMBERS: Readonly<Record<string, (row: ActorRow) => number>> = {
  restarts: (row) => row.restarts,
  events: (row) => row.events,
};

const COMPARISONS: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '=': (left, right) => left === right,
};

/** The test of a whole filter; an empty one lets everything pass. */
export function filterOf(text: string): Test {
  const tests = text.toLowerCase().split(/\s+/).filter(Boolean).map(testOf);
  return (row) => tests.every((test) => test(row));
}

function testOf(word: string): Test {
  const [, name = '', operator = '', number = ''] = /^([a-z]+)(>=|<=|>|<|=)(\d+)$/.exec(word) ?? [];
  const [count, compare] = [NUMBERS[name], COMPARISONS[operator]];
  if (count && compare) return (row) => compare(count(row), Number(number));
  const [, key = '', wanted = ''] = /^([a-z]+):(.+)$/.exec(word) ?? [];
  const text = TEXTS[key];
  if (text) return (row) => text(row).toLowerCase().includes(wanted);
  return (row) => `${row.path} ${row.state}`.toLowerCase().includes(word);
}
