import { describe, expect, it } from 'vitest';
import { POLICIES_SHOWN_MAX } from '../../../runtime/coordinator/coordinator-view.ts';
import { policiesOf } from '../../../runtime/coordinator/read-view.ts';
import { manifestFor } from '../../support/coordinator/real-coordinators.ts';

const KEYS = ['cd'.repeat(32)];

const identityOf = (number: number): string => number.toString(16).padStart(64, '0');

describe('policiesOf', () => {
  it('gives the policies by role, by name, and by the spore where two share a name', () => {
    const san = ['localhost'];
    const manifest = manifestFor(KEYS, {
      trustDomain: 'shop.example',
      policies: {
        [identityOf(4)]: { name: 'shop', role: 'workload', san },
        [identityOf(3)]: { name: 'hello', role: 'workload', san, nodeKeys: KEYS },
        [identityOf(2)]: { name: 'hello', role: 'workload', san },
        [identityOf(9)]: { name: 'edge', role: 'edge', san },
      },
    });
    expect(policiesOf(manifest)).toEqual([
      {
        identity: identityOf(9),
        name: 'edge',
        role: 'edge',
        spiffeId: 'spiffe://shop.example/edge/edge',
        san,
        nodeKeys: null,
      },
      expect.objectContaining({ name: 'hello', identity: identityOf(2), nodeKeys: null }),
      expect.objectContaining({ name: 'hello', identity: identityOf(3), nodeKeys: 1 }),
      expect.objectContaining({ name: 'shop', spiffeId: 'spiffe://shop.example/workload/shop' }),
    ]);
  });

  it('gives no more than are shown', () => {
    const many = Array.from({ length: POLICIES_SHOWN_MAX + 1 }, (_, number) => [
      identityOf(number),
      { name: `app-${String(number)}`, role: 'workload', san: ['localhost'] },
    ]);
    const manifest = manifestFor(KEYS, { policies: Object.fromEntries(many) });
    expect(policiesOf(manifest)).toHaveLength(POLICIES_SHOWN_MAX);
  });
});
