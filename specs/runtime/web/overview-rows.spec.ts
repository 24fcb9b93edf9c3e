import { describe, expect, it } from 'vitest';
import { overviewOf } from '../../../runtime/web/ui/overview-rows.ts';
import { actorRow } from './actor-row.ts';

describe('overviewOf', () => {
  it('counts supervisors, machines, restarts and crashes', () => {
    const rows = [
      actorRow('mesh', { kind: 'supervisor' }),
      actorRow('mesh/edge', { machine: 'edge', restarts: 2 }),
      actorRow('mesh/agent', { machine: 'agent', status: 'crashed', restarts: 1 }),
      actorRow('mesh/effect', { kind: 'own' }),
    ];
    expect(overviewOf(rows)).toMatchObject({
      supervisors: 1,
      machines: 2,
      restarts: 3,
      crashed: 1,
    });
  });

  it('names the busiest and the most restarted, the largest first', () => {
    const counts = [3, 9, 1, 7, 9, 2, 8, 4];
    const rows = counts.map((count, index) =>
      actorRow(`mesh/${index}`, { machine: 'm', events: count, restarts: count > 7 ? count : 0 }),
    );
    const { busiest, troubled } = overviewOf(rows);
    expect(busiest.map(({ id, events }) => [id, events])).toEqual([
      ['1', 9],
      ['4', 9],
      ['6', 8],
      ['3', 7],
      ['7', 4],
      ['0', 3],
    ]);
    expect(troubled.map(({ id }) => id)).toEqual(['1', '4', '6']);
  });
});
