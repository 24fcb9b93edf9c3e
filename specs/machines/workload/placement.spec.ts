import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { place } from '../../../machines/workload/placement.ts';
import type { PlacementInput, PlacementNode } from '../../../machines/workload/placement.ts';
import type { Slot } from '../../../machines/workload/plan.ts';

const node = (name: string, over: Partial<PlacementNode> = {}): PlacementNode => ({
  node: name,
  cpuMilli: 0,
  memoryMb: 0,
  usedCpuMilli: 0,
  usedMemoryMb: 0,
  ...over,
});

const input = (over: Partial<PlacementInput> = {}): PlacementInput => ({
  plan: {
    app: 'hello',
    min: 1,
    max: 3,
    nutrients: { cpuMilli: 100, memoryMb: 64 },
    intent: 'run',
  },
  budget: null,
  nodes: ['node-1', 'node-2', 'node-3'].map((name) => node(name)),
  current: [],
  ...over,
});

const withPlan = (over: Partial<PlacementInput['plan']>, rest: Partial<PlacementInput> = {}) => {
  const base = input(rest);
  return { ...base, plan: { ...base.plan, ...over } };
};

const budget = (over: object) => ({
  app: 'hello',
  maxInstances: 0,
  cpuMilli: 0,
  memoryMb: 0,
  ...over,
});

const byNode = (slots: readonly Slot[]): Record<string, number[]> =>
  Object.fromEntries(
    [...Map.groupBy(slots, (slot) => slot.node)]
      .sort()
      .map(([name, own]) => [name, own.map(({ ordinal }) => ordinal)]),
  );

describe('place', () => {
  it('puts one slot on each node between min and max', () => {
    const { slots, ...rest } = place(input());
    expect(byNode(slots)).toEqual({ 'node-1': [0], 'node-2': [0], 'node-3': [0] });
    expect(rest).toEqual({ verdict: 'placed', wanted: 3, limit: null });
  });

  it('puts several on a node where min asks for more than there are nodes', () => {
    const { slots } = place(withPlan({ min: 4, max: 4 }, { nodes: [node('a'), node('b')] }));
    expect(byNode(slots)).toEqual({ a: [0, 1], b: [0, 1] });
  });

  it('wants none of a stopped app', () => {
    expect(place(withPlan({ intent: 'stop' }))).toEqual({
      verdict: 'placed',
      slots: [],
      wanted: 0,
      limit: null,
    });
  });

  it.each([
    [{ maxInstances: 1 }, 'maxInstances', 1],
    [{ cpuMilli: 199 }, 'cpuMilli', 1],
    [{ memoryMb: 63 }, 'memoryMb', 0],
  ])('names the tightest field of the budget %j', (limits, field, fits) => {
    const placement = place(withPlan({ min: 2 }, { budget: budget(limits) }));
    expect(placement.verdict).toBe('short');
    expect(placement.limit).toEqual({ source: 'budget', field, fits });
    expect(placement.slots).toHaveLength(fits);
  });

  it.each([
    ['nodes', []],
    ['cpuMilli', [node('a', { cpuMilli: 1_000, usedCpuMilli: 850 })]],
    ['memoryMb', [node('a', { memoryMb: 100, cpuMilli: 500 })]],
  ] as const)('names %s as what the nodes lack', (field, nodes) => {
    const placement = place(withPlan({ min: 2 }, { nodes }));
    expect(placement.verdict).toBe('short');
    expect(placement.limit).toEqual({
      source: 'capacity',
      field,
      fits: placement.slots.length,
    });
  });

  it('places what fits above min, and says what limits it', () => {
    const placement = place(input({ budget: budget({ maxInstances: 2 }) }));
    expect(placement.verdict).toBe('placed');
    expect(placement.slots).toHaveLength(2);
    expect(placement.limit).toEqual({ source: 'budget', field: 'maxInstances', fits: 2 });
  });

  it('replaces the slots of a lost node and leaves the others where they are', () => {
    const current = ['node-1', 'node-2', 'lost'].map((name) => ({
      app: 'hello',
      node: name,
      ordinal: 0,
    }));
    const nodes = [node('node-1'), node('node-2')];
    const { slots } = place(withPlan({ min: 3, max: 3 }, { nodes, current }));
    expect(slots).toHaveLength(3);
    expect(slots).toEqual(expect.arrayContaining(current.slice(0, 2)));
  });

  it('spreads single instances of many apps over the nodes', () => {
    const hosts = Array.from({ length: 300 }, (_, index) => {
      const { slots } = place(withPlan({ app: `app-${index}`, max: 1 }));
      return slots[0]?.node;
    });
    const counts = [...Map.groupBy(hosts, (host) => host).values()].map((own) => own.length);
    expect(counts).toHaveLength(3);
    expect(Math.min(...counts)).toBeGreaterThan(60);
  });
});

const nodeNames = ['a', 'b', 'c', 'd', 'e'];
const amount = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1_000 }));
const anyNodes = fc.subarray(nodeNames).chain((names) =>
  fc.tuple(
    ...names.map((name) =>
      fc
        .record({
          cpuMilli: amount,
          memoryMb: amount,
          usedCpuMilli: fc.integer({ min: 0, max: 1_200 }),
          usedMemoryMb: fc.integer({ min: 0, max: 1_200 }),
        })
        .map((rest) => node(name, rest)),
    ),
  ),
);
const anyCurrent = fc
  .array(fc.integer({ min: 0, max: 4 }), { minLength: 6, maxLength: 6 })
  .map((counts) =>
    [...nodeNames, 'gone'].flatMap((name, index) =>
      Array.from({ length: counts[index] ?? 0 }, (_, ordinal) => ({
        app: 'hello',
        node: name,
        ordinal,
      })),
    ),
  );
const anyInput: fc.Arbitrary<PlacementInput> = fc.record({
  plan: fc
    .record({
      min: fc.integer({ min: 0, max: 12 }),
      extra: fc.integer({ min: 0, max: 12 }),
      nutrients: fc.record({
        cpuMilli: fc.integer({ min: 0, max: 300 }),
        memoryMb: fc.integer({ min: 0, max: 300 }),
      }),
    })
    .map(({ min, extra, nutrients }) => ({
      app: 'hello',
      min,
      max: min + extra,
      nutrients,
      intent: 'run' as const,
    })),
  budget: fc.option(
    fc
      .record({ maxInstances: fc.integer({ min: 0, max: 12 }), cpuMilli: amount, memoryMb: amount })
      .map((limits) => budget(limits)),
  ),
  nodes: anyNodes,
  current: anyCurrent,
});

const roomOf = (one: PlacementNode, { nutrients }: PlacementInput['plan']): number => {
  const left = (capacity: number, used: number, each: number): number =>
    capacity === 0 || each === 0 ? Infinity : Math.max(0, Math.floor((capacity - used) / each));
  return Math.min(
    left(one.cpuMilli, one.usedCpuMilli, nutrients.cpuMilli),
    left(one.memoryMb, one.usedMemoryMb, nutrients.memoryMb),
  );
};

describe('place, for any input', () => {
  const holds = (check: (given: PlacementInput) => void) => {
    fc.assert(fc.property(anyInput, check), { numRuns: 1_000 });
  };

  it('stays within max, the budget and the room of each node', () => {
    holds((given) => {
      const { plan, nodes } = given;
      const { slots } = place(given);
      const limits = given.budget ?? budget({});
      expect(slots.length).toBeLessThanOrEqual(plan.max);
      expect(slots.length).toBeLessThanOrEqual(limits.maxInstances || Infinity);
      expect(slots.length * plan.nutrients.cpuMilli).toBeLessThanOrEqual(
        limits.cpuMilli || Infinity,
      );
      expect(slots.length * plan.nutrients.memoryMb).toBeLessThanOrEqual(
        limits.memoryMb || Infinity,
      );
      for (const [name, own] of Object.entries(byNode(slots))) {
        const host = nodes.find((one) => one.node === name);
        expect(own.length).toBeLessThanOrEqual(host ? roomOf(host, plan) : 0);
      }
    });
  });

  it('reaches min or says which fact is in the way, and reaches the wanted number if it can', () => {
    holds((given) => {
      const { verdict, slots, wanted, limit } = place(given);
      expect(verdict).toBe(slots.length < given.plan.min ? 'short' : 'placed');
      expect(wanted).toBe(Math.min(given.plan.max, Math.max(given.plan.min, given.nodes.length)));
      expect(limit === null).toBe(slots.length === wanted);
      expect(limit?.fits ?? slots.length).toBe(slots.length);
    });
  });

  it('moves no slot that could stay', () => {
    holds((given) => {
      const { slots } = place(given);
      const before = byNode(given.current);
      const keepable = given.nodes
        .map((one) => Math.min(before[one.node]?.length ?? 0, roomOf(one, given.plan)))
        .reduce((sum, count) => sum + count, 0);
      const keys = new Set(given.current.map((slot) => `${slot.node} ${slot.ordinal}`));
      const kept = slots.filter((slot) => keys.has(`${slot.node} ${slot.ordinal}`)).length;
      expect(kept).toBe(Math.min(keepable, slots.length));
    });
  });

  it('numbers the slots of a node densely from 0', () => {
    holds((given) => {
      for (const ordinals of Object.values(byNode(place(given).slots)))
        expect(ordinals).toEqual(ordinals.map((_, index) => index));
    });
  });

  it('is as even as the room allows where nothing runs yet', () => {
    holds((given) => {
      const counts = byNode(place({ ...given, current: [] }).slots);
      const own = given.nodes.map((one) => ({
        count: counts[one.node]?.length ?? 0,
        isFull: (counts[one.node]?.length ?? 0) >= roomOf(one, given.plan),
      }));
      const most = Math.max(0, ...own.map(({ count }) => count));
      for (const { count, isFull } of own) if (!isFull) expect(most - count).toBeLessThan(2);
    });
  });

  it('depends on nothing but its input, and on no order in it', () => {
    holds((given) => {
      const turned = { ...given, nodes: given.nodes.toReversed(), current: [...given.current] };
      turned.current.reverse();
      expect(byNode(place(turned).slots)).toEqual(byNode(place(given).slots));
    });
  });

  it('leaves its own result alone', () => {
    holds((given) => {
      const { slots } = place(given);
      expect(place({ ...given, current: slots }).slots).toEqual(slots);
    });
  });
});
