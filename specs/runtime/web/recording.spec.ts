/** What is written down of a tree, and that it can be looked at later. */
import { assign, setup } from 'xstate';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { startTree } from '../../../runtime/start-tree.ts';
import { dynamicPath } from '../../../supervisor/index.ts';
import { readRecording } from '../../../runtime/web/recording/read-recording.ts';
import { recordTree } from '../../../runtime/web/recording/record-tree.ts';
import type { RecordOptions } from '../../../runtime/web/recording/record-tree.ts';
import { Replay } from '../../../runtime/web/recording/replay.ts';

const doorMachine = setup({
  types: {} as { context: { opened: number; password: string } },
  guards: { isOiled: ({ context }) => context.opened > 1 },
  actions: { count: assign({ opened: ({ context }) => context.opened + 1 }) },
}).createMachine({
  id: 'door',
  context: { opened: 0, password: 'under the mat' },
  initial: 'closed',
  states: {
    closed: {
      on: {
        open: { target: 'open', actions: 'count' },
        lock: { guard: 'isOiled', target: 'open' },
      },
    },
    open: { on: { close: 'closed' } },
  },
});

/** A tree that is recorded while `what` happens in it. */
async function recorded(
  what: (tree: {
    send: (path: string, type: string) => void;
    settled: () => Promise<void>;
  }) => unknown,
  options: RecordOptions = {},
): Promise<string> {
  const tree = await startTree({
    id: 'house',
    type: 'supervisor',
    children: [
      { id: 'door', logic: doorMachine },
      { id: 'gate', logic: doorMachine },
    ],
  });
  const stop = new AbortController();
  const lines: string[] = [];
  const reading = (async () => {
    for await (const line of recordTree(tree, { signal: stop.signal, ...options })) {
      lines.push(line);
    }
  })();
  const settled = async (): Promise<void> => {
    await new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
  };
  // The rows of the start are there before anything happens.
  await expect
    .poll(() => lines.some((line) => line.includes('"rows"')), { timeout: 10_000 })
    .toBe(true);
  await what({ send: (path, type) => void tree.send(dynamicPath(path), { type }), settled });
  await settled();
  stop.abort();
  await reading;
  await tree.stop();
  return lines.map((line) => `${line}\n`).join('');
}

const doorOpens = () =>
  recorded(async ({ send, settled }) => {
    for (const type of ['open', 'close', 'lock', 'open']) send('house/door', type);
    await settled();
  });

describe('recordTree', () => {
  it('writes what was there and what happened, without secrets, and says why it ended', async () => {
    const text = await doorOpens();
    expect(text).not.toContain('under the mat');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ format: 'mesh-recording', version: 1, title: 'house' });
    const kinds = lines.map(({ type }) => type);
    expect(kinds.slice(0, 6)).toEqual([undefined, 'chart', 'actor', 'actor', 'actor', 'rows']);
    expect(kinds.filter((kind) => kind === 'log')).toHaveLength(4);
    expect(kinds.slice(-2)).toEqual(['rows', 'end']);
    const steps = lines.filter(({ type }) => type === 'step');
    expect(
      steps.map(({ event, taken, refusedBy, context }) => [event, taken, refusedBy, context]),
    ).toEqual([
      ['open', ['closed|open|0'], undefined, { opened: 1, password: '(secret)' }],
      ['close', ['open|close|0'], undefined, undefined],
      ['lock', [], 'isOiled', undefined],
      ['open', ['closed|open|0'], undefined, { opened: 2, password: '(secret)' }],
    ]);
    expect(lines.at(-1)).toMatchObject({ type: 'end', why: 'asked' });
  });

  it('ends in order when it is full', async () => {
    const text = await recorded(
      async ({ send, settled }) => {
        for (let round = 0; round < 50; round++) send('house/door', 'open');
        await settled();
      },
      { bytesMax: 4_000 },
    );
    expect(text.length).toBeLessThan(4_400);
    expect(readRecording(text).info.end).toBe('full');
  });
});

describe('readRecording', () => {
  it('takes one that is torn, up to its last whole line', async () => {
    const text = await doorOpens();
    const torn = text.slice(0, text.lastIndexOf('"rows"') + 3);
    const { info } = readRecording(torn);
    expect(info).toMatchObject({ end: 'torn', firstSeq: 1, lastSeq: 4 });
  });

  it('takes fields that it does not know', async () => {
    const text = (await doorOpens()).replace('"version":1', '"version":1,"colour":"red"');
    expect(readRecording(text).info.end).toBe('asked');
  });

  it.each([
    ['nothing', () => ''],
    ['something else', () => 'no recording\n'],
    ['a log', () => '{"seq":1}\n{"seq":2}\n'],
    [
      'one that is damaged in its middle',
      (text: string) => text.replace('"type":"chart"', '"type":"chair"'),
    ],
    [
      'one with a path that is too long',
      (text: string) => text.replaceAll('house/door', 'x'.repeat(2_000)),
    ],
  ])('refuses %s', async (_, change) => {
    const text = change(await doorOpens());
    expect(() => readRecording(text)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_INSPECT_RECORDING' }) as Error,
    );
  });

  it('refuses what is nested without end', async () => {
    const text = await doorOpens();
    const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
    const actor = `{"type":"actor","path":"x","incarnation":1,"active":[],"tags":[],"context":${deep}}`;
    expect(() =>
      readRecording(text.replace('{"type":"actor"', `${actor}\n{"type":"actor"`)),
    ).toThrow(expect.objectContaining({ code: 'MESH_ERR_INSPECT_RECORDING' }) as Error);
  });

  it('refuses or takes whatever has become of one, and fails in no other way', async () => {
    const text = await doorOpens();
    const change = fc.tuple(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), fc.nat(3));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
        let changed = text;
        for (const [at, put, cut] of changes)
          changed = changed.slice(0, at) + put + changed.slice(at + cut);
        try {
          expect(readRecording(changed).info.title).toBeTypeOf('string');
        } catch (error) {
          expect(codeOf(error)).toMatch(/^MESH_ERR_INSPECT_RECORDING(_NEWER)?$/);
        }
      }),
    );
  });

  it('refuses one of a later version by a code of its own', async () => {
    const text = (await doorOpens()).replace('"version":1', '"version":2');
    expect(() => readRecording(text)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_INSPECT_RECORDING_NEWER' }) as Error,
    );
  });
});

describe('Replay', () => {
  it('shows each moment as it was: rows, details, and what came before', async () => {
    const replay = new Replay(readRecording(await doorOpens()));
    const moment = replay.moment();
    const seen = (): unknown[] => {
      const details = replay.detailsAt(moment, 'house/door');
      const row = moment.row('house/door');
      return [moment.seq, row?.state, row?.events, details?.active, details?.context];
    };
    const secret = { password: '(secret)' };
    expect(seen()).toEqual([4, 'open', 4, ['open'], { opened: 2, ...secret }]);
    expect(moment.goTo(2)).toMatchObject({ actors: [{ path: 'house/door' }], gone: [] });
    expect(seen()).toEqual([2, 'closed', 2, ['closed'], { opened: 1, ...secret }]);
    expect(moment.goTo(3).actors.map(({ path }) => path)).toEqual(['house/door']);
    expect(seen()).toEqual([3, 'closed', 3, ['closed'], { opened: 1, ...secret }]);
    moment.goTo(0);
    expect(seen()).toEqual([1, 'open', 1, ['open'], { opened: 1, ...secret }]);
    moment.goTo(null);
    expect(replay.detailsAt(moment, 'house/door')?.steps).toHaveLength(4);
    expect(replay.detailsAt(moment, 'house/gate')).toMatchObject({ active: ['closed'], steps: [] });
    expect(replay.detailsAt(moment, 'house/nobody')).toBeUndefined();
  });

  it('answers as the tree would have', async () => {
    const replay = new Replay(readRecording(await doorOpens()));
    expect(await replay.answer({ what: 'machines' })).toEqual([
      { key: 'door', name: 'door', actors: 2, standing: { open: 1, closed: 1 } },
    ]);
    expect(await replay.answer({ what: 'machine', key: 'door' })).toMatchObject({
      chart: { name: 'door' },
      layout: { boxes: { open: {} } },
    });
    expect(await replay.answer({ what: 'machine', key: 'window' })).toBeUndefined();
    expect(await replay.answer({ what: 'view', view: 'mesh' })).toMatchObject({ available: false });
    expect(await replay.answer({ what: 'rollback', app: 'a', generation: null })).toBeUndefined();
  });
});
