import { describe, expect, it } from 'vitest';
import { REDACTED, shown } from '../../../runtime/web/recorder/redact.ts';

describe('shown', () => {
  it.each(['token', 'privateKey', 'meshKey', 'password', 'seedShares', 'clientSecret', 'key'])(
    'hides %s, at any depth',
    (name) => {
      expect(shown({ [name]: 'x', inner: [{ [name]: { a: 1 } }] })).toEqual({
        [name]: REDACTED,
        inner: [{ [name]: REDACTED }],
      });
    },
  );

  it('shows that there is no secret where there is none', () => {
    expect(shown({ token: null })).toEqual({ token: null });
  });

  it('names bytes, functions and what is too deep instead of showing it', () => {
    const deep = { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } };
    expect(shown({ bytes: new Uint8Array(32), call: () => 1 })).toEqual({
      bytes: '(32 bytes)',
      call: '(function)',
    });
    expect(JSON.stringify(shown(deep))).toContain('(deeper)');
  });

  it('shows maps and sets as what they hold', () => {
    expect(shown({ map: new Map([['a', 1]]), set: new Set([1, 2]) })).toEqual({
      map: { a: 1 },
      set: [1, 2],
    });
  });

  it('ends on circles, and cuts what is long', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(JSON.stringify(shown(circle)).length).toBeLessThan(1_000);
    expect(
      JSON.stringify(shown(Array.from({ length: 1e6 }, () => 'x'.repeat(1e3)))).length,
    ).toBeLessThan(30_000);
    expect(shown('x'.repeat(501))).toBe(`${'x'.repeat(500)}…`);
  });

  it('gives plain JSON for what JSON has no words for', () => {
    expect(shown([undefined, Number.NaN, 1n, Symbol('s'), new Error('e')])).toEqual([
      '(undefined)',
      'NaN',
      '(bigint)',
      '(symbol)',
      'Error: e',
    ]);
  });
});
