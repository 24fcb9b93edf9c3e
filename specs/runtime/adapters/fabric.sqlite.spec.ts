import { readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { createFabric } from '../../../runtime/adapters/fabric.sqlite.ts';
import { openDatabase } from '../../../runtime/adapters/fabric/database.ts';
import { inMemory, join, planRequest } from '../../support/fabric-world.ts';
import { scratch } from '../../support/scratch.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { instanceRecord } from '../../support/workload-samples.ts';

const refusalOf = (open: () => unknown): unknown => {
  try {
    open();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('createFabric', () => {
  it('keeps its state in a file that only its owner can read', async () => {
    using folder = scratch();
    const path = folder.file('fabric.sqlite');
    {
      await using world = inMemory({ path });
      await join(world, 'node-1');
      await world.fabric.publishPlan(planRequest());
      const files = readdirSync(folder.path);
      expect(files.toSorted()).toEqual(['fabric.sqlite', 'fabric.sqlite-shm', 'fabric.sqlite-wal']);
      for (const file of files) expect(statSync(folder.file(file)).mode & 0o777).toBe(0o600);
    }
    await using again = inMemory({ path });
    expect(await again.fabric.plan('hello')).toMatchObject({ generation: 1 });
    expect(await again.fabric.assignments('hello')).toHaveLength(1);
  });

  it('takes the rights of others from a file that it finds', async () => {
    using folder = scratch();
    const path = folder.file('fabric.sqlite');
    writeFileSync(path, '', { mode: 0o644 });
    await using _world = inMemory({ path });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('says unavailable where the folder is missing', () => {
    using folder = scratch();
    const path = folder.file('absent/fabric.sqlite');
    const open = () => createFabric({ path, clock: new VirtualClock() });
    expect(codeOf(refusalOf(open))).toBe('MESH_ERR_FABRIC_UNAVAILABLE');
  });

  it.each([
    ['no database', (path: string) => writeFileSync(path, 'x'.repeat(8_192))],
    ['a cut one', (path: string) => truncateSync(path, 12_288)],
    ['one with a page of noise', (path: string) => overwritePage(path, 3)],
  ])('keeps %s aside and says corrupt', async (_, damage) => {
    using folder = scratch();
    const path = folder.file('fabric.sqlite');
    await inMemory({ path }).fabric.close();
    damage(path);
    const bytes = readFileSync(path);
    const clock = new VirtualClock();
    const error = refusalOf(() => createFabric({ path, clock }));
    const keptAt = `${path}.corrupt-${clock.now()}`;
    expect(error).toMatchObject({ code: 'MESH_ERR_FABRIC_CORRUPT', details: { keptAt } });
    expect(readFileSync(keptAt)).toEqual(bytes);
    await using anew = inMemory({ path });
    expect(await anew.fabric.apps()).toEqual([]);
  });

  it.each([
    ['a newer schema', 'PRAGMA user_version = 99', 'MESH_ERR_FABRIC_SCHEMA_NEWER'],
    ['another program', 'PRAGMA application_id = 7', 'MESH_ERR_FABRIC_UNAVAILABLE'],
  ])('leaves a file of %s untouched', async (_, statement, code) => {
    using folder = scratch();
    const path = folder.file('fabric.sqlite');
    await inMemory({ path }).fabric.close();
    const other = new DatabaseSync(path);
    other.exec(statement);
    other.close();
    const bytes = readFileSync(path);
    const error = refusalOf(() => createFabric({ path, clock: new VirtualClock() }));
    expect(codeOf(error)).toBe(code);
    expect(readFileSync(path)).toEqual(bytes);
    expect(readdirSync(folder.path)).toEqual(['fabric.sqlite']);
  });

  it('says unavailable, and keeps nothing, while another process holds the lock', async () => {
    using folder = scratch();
    const path = folder.file('fabric.sqlite');
    await using world = inMemory({ path });
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const record = world.fabric.recordInstance(instanceRecord());
    await expect(record).rejects.toMatchObject({
      code: 'MESH_ERR_FABRIC_UNAVAILABLE',
      retryable: true,
    });
    other.exec('ROLLBACK');
    other.close();
    expect(await world.fabric.instances()).toEqual([]);
    await world.fabric.recordInstance(instanceRecord());
    expect(await world.fabric.instances()).toHaveLength(1);
  });

  it('syncs the disk where a write shall survive a loss of power, and only there', () => {
    using folder = scratch();
    const db = openDatabase(folder.file('fabric.sqlite'), new VirtualClock());
    const level = (): unknown => db.get<{ synchronous: number }>('PRAGMA synchronous');
    // 1 is NORMAL, 2 is FULL.
    expect(db.write(level)).toEqual({ synchronous: 2 });
    expect(db.writeUnsynced(level)).toEqual({ synchronous: 1 });
    expect(db.write(level)).toEqual({ synchronous: 2 });
    db.close();
  });

  it('warns of a listener that throws where nobody asked to be told', async () => {
    const fabric = createFabric({ path: ':memory:', clock: new VirtualClock() });
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    fabric.watchPlans(() => {
      throw new Error('The listener failed.');
    });
    expect((await warned).message).toBe('The listener failed.');
    await fabric.close();
  });
});

/** Page numbers are from 1, pages are of 4,096 bytes. */
function overwritePage(path: string, page: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, (page - 1) * 4_096, page * 4_096);
  writeFileSync(path, bytes);
}

describe('a fabric between processes', () => {
  it('tells watches of what another process committed, at its next look', async () => {
    using folder = scratch();
    const path = folder.file('fabric.sqlite');
    await using world = inMemory({ path });
    await using other = inMemory({ path });
    const seen: string[] = [];
    world.fabric.watchPlans((plans) => seen.push(`plans ${plans.length}`));
    world.fabric.watchAssignments('node-1', (all) => seen.push(`slots ${all.length}`));
    await join(other, 'node-1');
    await other.fabric.publishPlan(planRequest());
    expect(seen).toEqual(['plans 0', 'slots 0']);
    await world.clock.advance(250);
    expect(seen).toEqual(['plans 0', 'slots 0', 'plans 1', 'slots 1']);
    await world.clock.advance(1_000);
    expect(seen).toHaveLength(4);
  });

  it('looks only while somebody watches', async () => {
    await using world = inMemory();
    expect(world.clock.pending).toBe(0);
    const ends = [world.fabric.watchPlans(() => {}), world.fabric.watchEndpoints(() => {})];
    expect(world.clock.pending).toBe(1);
    for (const end of ends) end();
    expect(world.clock.pending).toBe(0);
  });

  it('reports a look that failed, and looks again', async () => {
    using folder = scratch();
    const path = folder.file('fabric.sqlite');
    await using world = inMemory({ path });
    let count = 0;
    world.fabric.watchPlans((plans) => {
      count = plans.length;
    });
    const other = new DatabaseSync(path);
    other.exec('ALTER TABLE plans RENAME TO hidden');
    await world.clock.advance(250);
    expect(world.reported.map(codeOf)).toEqual(['MESH_ERR_FABRIC_UNAVAILABLE']);
    other.exec('ALTER TABLE hidden RENAME TO plans');
    other.exec(
      `INSERT INTO plans VALUES
         ('x', 1, 'd', 0, '1.0.0', 0, 0, 'blue_green', 0, 0, 'run', NULL, 0, 0)`,
    );
    other.close();
    await world.clock.advance(250);
    expect(count).toBe(1);
  });
});
