import type { PlacementInput } from '../../../machines/workload/placement.ts';
import type { Nutrients, Slot } from '../../../machines/workload/plan.ts';
import type { Database } from './database.ts';
import { SLOTS_MAX } from './limits.ts';
import { nodeRows, slotRows } from './node-records.ts';
import { budgets, planRows } from './plan-records.ts';
import type { PlanRow } from './plan-records.ts';

/** What every node has and every app takes of it, read once and kept up to date while placing. */
export interface Room {
  readonly plans: readonly PlanRow[];
  /** What `place` needs to know for that plan. */
  inputFor(plan: PlanRow): PlacementInput;
  slotsOf(app: string): readonly Slot[];
  setSlots(app: string, slots: readonly Slot[]): void;
  /** Slots that there may still be, over all apps. */
  slotsFree(): number;
  /** It has fewer than `min` slots on living nodes. */
  isShort(plan: PlanRow): boolean;
}

const NOTHING: Nutrients = { cpuMilli: 0, memoryMb: 0 };

export function readRoom(db: Database): Room {
  const nodes = nodeRows(db);
  const names = new Set(nodes.map(({ node }) => node));
  const limits = budgets(db);
  const plans = planRows(db);
  const nutrientsOf = new Map(plans.map((plan) => [plan.app, plan.nutrients]));
  const slots = Map.groupBy(
    slotRows(db).map(({ app, node, ordinal }): Slot => ({ app, node, ordinal })),
    ({ app }) => app,
  );
  const taken = new Map<string, Nutrients>();
  let total = 0;
  const slotsOf = (app: string): readonly Slot[] => slots.get(app) ?? [];
  const account = (app: string, sign: 1 | -1): void => {
    const each = nutrientsOf.get(app) ?? NOTHING;
    for (const { node } of slotsOf(app)) {
      const sum = taken.get(node) ?? NOTHING;
      taken.set(node, {
        cpuMilli: sum.cpuMilli + sign * each.cpuMilli,
        memoryMb: sum.memoryMb + sign * each.memoryMb,
      });
    }
    total += sign * slotsOf(app).length;
  };
  for (const app of slots.keys()) account(app, 1);

  return {
    plans,
    slotsOf,
    slotsFree: () => SLOTS_MAX - total,
    setSlots: (app, next) => {
      account(app, -1);
      slots.set(app, [...next]);
      account(app, 1);
    },
    inputFor: (plan) => {
      account(plan.app, -1);
      const withUse = nodes.map((node) => {
        const used = taken.get(node.node) ?? NOTHING;
        return { ...node, usedCpuMilli: used.cpuMilli, usedMemoryMb: used.memoryMb };
      });
      account(plan.app, 1);
      const budget = limits.get(plan.app) ?? null;
      return { plan, budget, nodes: withUse, current: slotsOf(plan.app) };
    },
    isShort: (plan) =>
      plan.intent === 'run' &&
      slotsOf(plan.app).filter(({ node }) => names.has(node)).length < plan.min,
  };
}
