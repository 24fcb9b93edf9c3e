import { describe, expect, it } from 'vitest';
import { isNearEnd } from '../../../runtime/web/ui/certificate-age.ts';

describe('isNearEnd', () => {
  const [renewAt, notAfter] = ['2026-01-01T12:00:00Z', '2026-01-02T00:00:00Z'];

  it.each([
    ['2026-01-01T17:59:59Z', false],
    ['2026-01-01T18:00:01Z', true],
    ['2026-01-02T00:00:01Z', true],
  ])('of a day from midnight is, at %s, %s', (at, isLate) => {
    expect(isNearEnd(renewAt, notAfter, Date.parse(at))).toBe(isLate);
  });

  it('says nothing of one that nobody renews', () => {
    expect(isNearEnd(null, notAfter, Date.parse('2026-01-01T23:59:59Z'))).toBe(false);
  });
});
