import { describe, expect, it } from 'vitest';
import { MESSAGES_MAX, sequenceOf } from '../../../runtime/web/ui/sequence-rows.ts';
import type { LogRow } from '../../../runtime/web/ui/wire.types.ts';

const row = (seq: number, path: string, change: Partial<LogRow> = {}): LogRow => ({
  seq,
  atMs: seq,
  kind: 'event',
  path,
  text: 'said',
  ...change,
});
const drawn = (rows: readonly LogRow[], paths: readonly string[]) => {
  const { lanes, messages } = sequenceOf(rows, paths);
  return {
    lanes,
    messages: messages.map(({ row, from, to }) => `${row.seq}: ${lanes[from]} → ${lanes[to]}`),
  };
};

describe('sequenceOf', () => {
  it('has a lane for each actor, and none for others where none takes part', () => {
    expect(drawn([row(1, 'b', { source: 'a' }), row(2, 'a', { source: 'b' })], ['a', 'b'])).toEqual(
      {
        lanes: ['a', 'b'],
        messages: ['1: a → b', '2: b → a'],
      },
    );
  });

  it('puts everybody else into one lane', () => {
    const rows = [row(1, 'a', { source: 'x' }), row(2, 'y', { source: 'a' }), row(3, 'a')];
    expect(drawn(rows, ['a'])).toEqual({
      lanes: ['others', 'a'],
      messages: ['1: others → a', '2: a → others', '3: others → a'],
    });
  });

  it('marks what happens to an actor on its own lane, and leaves out timers and strangers', () => {
    const rows = [
      row(1, 'a', { kind: 'crash' }),
      row(2, 'a', { kind: 'timer' }),
      row(3, 'x', { source: 'y' }),
    ];
    expect(drawn(rows, ['a'])).toEqual({ lanes: ['a'], messages: ['1: a → a'] });
  });

  it('keeps the newest', () => {
    const rows = Array.from({ length: MESSAGES_MAX + 5 }, (_, index) =>
      row(index + 1, 'a', { source: 'a' }),
    );
    const { messages } = sequenceOf(rows, ['a']);
    expect(messages).toHaveLength(MESSAGES_MAX);
    expect(messages[0]?.row.seq).toBe(6);
  });
});
