import { describe, expect, it } from 'vitest';
import { age, byteCount, counted, duration } from '../../../runtime/cli/format.ts';

describe('duration', () => {
  it.each([
    [-5, '0.0s'],
    [450, '0.5s'],
    [12_000, '12s'],
    [60_000, '1m'],
    [90_500, '1m 30s'],
    [3_600_000, '1h'],
    [90_000_000, '1d 1h'],
  ])('says %i ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe('age', () => {
  it('takes both kinds of time', () => {
    expect(age('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:02:00Z'))).toBe('2m');
    expect(age(1_000, 61_000)).toBe('1m');
  });
});

describe('byteCount', () => {
  it.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_536, '1.5 KiB'],
    [200 * 1024 ** 2, '200.0 MiB'],
    [5_000 * 1024 ** 3, '5000.0 GiB'],
  ])('says %i as %s', (bytes, text) => {
    expect(byteCount(bytes)).toBe(text);
  });
});

describe('counted', () => {
  it('knows one from many', () => {
    expect([counted(1, 'node'), counted(2, 'node')]).toEqual(['1 node', '2 nodes']);
  });
});
