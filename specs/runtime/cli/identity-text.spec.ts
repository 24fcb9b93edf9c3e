import { describe, expect, it } from 'vitest';
import { hasIdentities, identityText } from '../../../runtime/cli/identity-text.ts';
import type { InstanceRow } from '../../../runtime/control/mesh-control.ts';
import { rowsOf } from '../../support/control/records.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const notAfter = '2026-01-01T23:50:00.000Z';
const spiffeId = 'spiffe://mesh.local/workload/hello';
const [plain] = rowsOf('hello') as [InstanceRow];
const rowWith = (identity: InstanceRow['identity']): InstanceRow => ({ ...plain, identity });

describe('identityText', () => {
  it.each<[InstanceRow['identity'], string]>([
    [null, '-'],
    [{ spiffeId: null, notAfter: null, state: 'obtaining' }, 'obtaining'],
    [{ spiffeId: null, notAfter: null, state: 'refused' }, 'refused'],
    [{ spiffeId, notAfter, state: 'valid' }, 'workload/hello, 23h 50m'],
    [{ spiffeId, notAfter, state: 'renewing' }, 'workload/hello, 23h 50m, renewing'],
    [{ spiffeId, notAfter, state: 'expired' }, 'workload/hello, expired'],
  ])('says of %j: %s', (identity, text) => {
    expect(identityText(rowWith(identity), NOW_MS)).toBe(text);
  });
});

describe('hasIdentities', () => {
  it('is so where one instance has a certificate, or is to have one', () => {
    expect(hasIdentities([plain])).toBe(false);
    const refused = { spiffeId: null, notAfter: null, state: 'refused' } as const;
    expect(hasIdentities([plain, rowWith(refused)])).toBe(true);
  });
});
