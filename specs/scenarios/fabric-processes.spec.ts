import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { join, inMemory } from '../support/fabric-world.ts';
import { scratch } from '../support/scratch.ts';

const WRITER = fileURLToPath(new URL('../support/fabric-writer.ts', import.meta.url));
const KILLS = 15;

/**
 * Runs a writer to its end, or kills it some time within the write that follows the acknowledged
 * number `killAfter`. What it said, as numbers.
 */
async function runWriter(
  path: string,
  manner: 'publish' | 'record',
  { name, rounds = Infinity, killAfter = Infinity }: WriterRun,
): Promise<number[]> {
  const args = [WRITER, path, manner, name, String(rounds)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    text += chunk;
    if (text.split('\n').length > killAfter && !child.killed)
      setTimeout(() => child.kill('SIGKILL'), Math.random() * 8);
  }
  // What follows the last line break was cut by the kill.
  return text.split('\n').slice(0, -1).map(Number);
}

interface WriterRun {
  readonly name: string;
  readonly rounds?: number;
  readonly killAfter?: number;
}

describe('a fabric between processes', () => {
  it('loses no plan when two processes publish at once', async () => {
    using folder = scratch();
    const path = folder.file('fabric.sqlite');
    await using world = inMemory({ path });
    await join(world, 'node-1');
    const names = ['a', 'b'];
    const said = await Promise.all(
      names.map((name) => runWriter(path, 'publish', { name, rounds: 150 })),
    );
    for (const own of said) expect(own).toEqual(own.toSorted((x, y) => x - y));
    const all = said.flat().toSorted((x, y) => x - y);
    expect(all).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
    expect(await world.fabric.plan('hello')).toMatchObject({ generation: 300 });
    const outcomes = (await world.fabric.history('hello')).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['pending', ...Array.from({ length: 99 }, () => 'superseded')]);
  });

  it('is made once when several processes open it at once', async () => {
    using folder = scratch();
    const path = folder.file('fabric.sqlite');
    const names = ['a', 'b', 'c', 'd'];
    const said = await Promise.all(
      names.map((name) => runWriter(path, 'record', { name, rounds: 5 })),
    );
    expect(said).toEqual(names.map(() => [1, 2, 3, 4, 5]));
    await using world = inMemory({ path });
    expect(await world.fabric.instances()).toHaveLength(4);
  });
});

describe('a fabric whose process is killed', () => {
  it('keeps every acknowledged plan, and no half of another', async () => {
    using folder = scratch();
    const path = folder.file('fabric.sqlite');
    {
      await using world = inMemory({ path });
      await join(world, 'node-1', 'node-2');
    }
    let last = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      const run = { name: `w${kill}`, killAfter: Math.ceil(Math.random() * 20) };
      const said = await runWriter(path, 'publish', run);
      expect(said).toEqual(said.map((_, index) => last + 1 + index));
      await using world = inMemory({ path });
      const { generation, version } = (await world.fabric.plan('hello')) ?? { generation: 0 };
      // One more may have been kept and not acknowledged.
      expect(generation - last - said.length).toBeOneOf([0, 1]);
      const history = await world.fabric.history('hello');
      expect(history[0]).toMatchObject({ generation, version, outcome: 'pending' });
      expect(history.filter(({ outcome }) => outcome === 'pending')).toHaveLength(1);
      expect(history[0]?.generation).toBe(history[1] ? history[1].generation + 1 : 1);
      expect(await world.fabric.assignments('hello')).toHaveLength(2);
      last = generation;
    }
    expect(last).toBeGreaterThan(KILLS);
  });

  it('keeps every acknowledged instance, and switches endpoints whole', async () => {
    using folder = scratch();
    const path = folder.file('fabric.sqlite');
    for (let kill = 1; kill <= KILLS; kill++) {
      const name = `w${kill}`;
      const run = { name, killAfter: Math.ceil(Math.random() * 20) };
      const last = (await runWriter(path, 'record', run)).at(-1) ?? 0;
      await using world = inMemory({ path });
      const roundOf = ({ instance }: { readonly instance: string }) =>
        Number(instance.split('-')[1]);
      const own = ({ instance }: { readonly instance: string }) => instance.startsWith(`${name}-`);
      const instances = (await world.fabric.instances()).filter(own).map(roundOf);
      const endpoints = (await world.fabric.endpoints('hello')).filter(own).map(roundOf);
      expect(endpoints).toHaveLength(1);
      const [switched = 0] = endpoints;
      expect(switched).toBeOneOf([last, last + 1]);
      // Before its switch: the next one is recorded; after it: the one before is still.
      expect([`${last}`, `${last},${last + 1}`, `${last + 1}`]).toContain(instances.join());
      expect(instances).toContain(switched);
    }
  });
});
