import { describe, expect, it } from 'vitest';
import {
  ago,
  clock,
  counted,
  day,
  duration,
  eventName,
  lineText,
  nameOf,
  shortDigest,
  shortPath,
  shortState,
} from '../../../runtime/web/ui/names.ts';
import type { LogKind } from '../../../runtime/web/ui/wire.types.ts';
import { actorRow } from './actor-row.ts';

describe('eventName', () => {
  it.each([
    ['health.passed', 'health.passed'],
    ['xstate.after.5000.door.open', 'after 5 s'],
    ['xstate.after.STABLE_AFTER_MS.agent-app.ready', 'after STABLE_AFTER_MS'],
    ['xstate.done.actor.unpack', 'done(unpack)'],
    ['xstate.done.actor.0.instance.running', 'done(running)'],
    ['xstate.error.actor.startProcess', 'error(startProcess)'],
    ['xstate.init', 'start'],
    ['xstate.promise.resolve', 'promise.resolve'],
    ['timer.fired xstate.after.60000.kettle.heating', 'after 1 min fired'],
  ])('calls %s %s', (type, name) => {
    expect(eventName(type)).toBe(name);
  });
});

describe('lineText', () => {
  const line = (kind: LogKind, text: string) =>
    lineText({ seq: 1, atMs: 0, path: 'a', kind, text });

  it.each([
    ['crash', 'crash: {"type":"error","cause":{"message":"no \\"db\\""}}', 'crash: no "db"'],
    ['crash', 'crash: {"type":"error","cause":{"mess', 'crash: {"type":"error","cause":{"mess'],
    ['event', 'xstate.done.actor.unpack', 'done(unpack)'],
  ] as const)('tells %s %s as %s', (kind, text, told) => {
    expect(line(kind, text)).toBe(told);
  });
});

describe('duration', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_000, '1 s'],
    [119_000, '1 min'],
    [7_200_000, '2 h'],
    [90_000_000, '1 d'],
  ])('tells %i ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe('names', () => {
  it('prefers what people call an actor', () => {
    expect(nameOf(actorRow('mesh/a/0.a.running', { label: 'watchProcess' }))).toBe('watchProcess');
    expect(nameOf(actorRow('mesh/a'))).toBe('a');
  });

  it('shortens what a line has no room for', () => {
    expect(shortPath('mesh/edge')).toBe('mesh/edge');
    expect(shortPath('mesh/agents/node-1/hello')).toBe('…/node-1/hello');
    expect(shortPath('mesh/agents/node-1/hello/0.agent-app.launching.promoting')).toBe(
      'hello/launching.promoting',
    );
    expect(shortDigest(`sha256:${'ab'.repeat(32)}`)).toBe('abababababab');
    expect(shortState('running.up.healthy, route.green')).toBe('healthy, green');
  });

  it("tells times in the reader's time zone", () => {
    const atMs = new Date(2026, 10, 21, 7, 4, 5, 6).getTime();
    expect(clock(atMs)).toBe('07:04:05.006');
    expect(day(atMs)).toBe('2026-11-21 07:04');
  });

  it('tells how long ago that was', () => {
    expect([1_500, 10_000, 99_000].map((ms) => ago(ms, 10_500))).toEqual([
      '9 s ago',
      'just now',
      'just now',
    ]);
  });

  it('counts in words', () => {
    expect([0, 1, 2].map((count) => counted(count, 'row'))).toEqual(['0 rows', '1 row', '2 rows']);
  });
});
