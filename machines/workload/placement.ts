/**
 * Where the instances of one app go: pure and deterministic. It decides how many slots there are and
 * on which nodes; it knows neither permissions nor what runs in a slot.
 */
import type { Budget, Nutrients, Plan, Slot } from './plan.ts';

/** A living node, and what the slots of all other apps take from it. Capacity 0 = no limit. */
export interface PlacementNode {
  readonly node: string;
  readonly cpuMilli: number;
  readonly memoryMb: number;
  readonly usedCpuMilli: number;
  readonly usedMemoryMb: number;
}

export interface PlacementInput {
  readonly plan: Pick<Plan, 'app' | 'min' | 'max' | 'nutrients' | 'intent'>;
  /** Null = no limit. */
  readonly budget: Budget | null;
  readonly nodes: readonly PlacementNode[];
  /** Slots that the app has now, also those on nodes that are gone. */
  readonly current: readonly Slot[];
}

/** The fact that holds the number of instances below the wanted one. */
export interface PlacementLimit {
  readonly source: 'budget' | 'capacity';
  /** `nodes`: there is none. */
  readonly field: 'maxInstances' | 'cpuMilli' | 'memoryMb' | 'nodes';
  /** Instances that it allows. */
  readonly fits: number;
}

/**
 * `short`: fewer than `min` fit, so a new plan is refused; `slots` then are as many as do fit, for a
 * plan that lost its room after it was accepted.
 */
export interface Placement {
  readonly verdict: 'placed' | 'short';
  readonly slots: readonly Slot[];
  readonly wanted: number;
  /** Null where all that are wanted fit. */
  readonly limit: PlacementLimit | null;
}

/**
 * Wants one instance per living node, at least `min` and at most `max`, within the budget and the
 * room on the nodes. Slots stay where they are as long as their node lives and holds them, also
 * where that is uneven: to move a slot would take capacity from traffic. New ones go to the node
 * with the fewest, and leave the node with the most; ties are broken by rendezvous hash, so that
 * apps spread over nodes without knowing of each other. Ordinals of a node stay dense from 0.
 */
export function place(input: PlacementInput): Placement {
  const { plan, budget, nodes } = input;
  if (plan.intent === 'stop') return { verdict: 'placed', slots: [], wanted: 0, limit: null };
  const wanted = Math.min(plan.max, Math.max(plan.min, nodes.length));
  const scarce = budgetLimit(budget, plan.nutrients);
  const target = Math.min(wanted, scarce?.fits ?? wanted);
  const shares = sharesOf(input);
  settleOn(target, shares);
  const slots = shares.flatMap((share) => slotsOf(plan.app, share));
  const limit =
    slots.length >= wanted
      ? null
      : slots.length < target
        ? capacityLimit(nodes, plan.nutrients, slots.length)
        : scarce;
  return { verdict: slots.length < plan.min ? 'short' : 'placed', slots, wanted, limit };
}

interface Share {
  readonly node: string;
  readonly room: number;
  readonly weight: number;
  readonly ordinals: readonly number[];
  count: number;
}

function sharesOf({ plan, nodes, current }: PlacementInput): Share[] {
  return nodes
    .map((node) => {
      const room = roomOn(node, plan.nutrients);
      const ordinals = current
        .filter((slot) => slot.node === node.node)
        .map((slot) => slot.ordinal)
        .sort((a, b) => a - b);
      const weight = rendezvous(plan.app, node.node);
      return { node: node.node, room, weight, ordinals, count: Math.min(room, ordinals.length) };
    })
    .sort((a, b) => b.weight - a.weight || (a.node < b.node ? -1 : 1));
}

/** Adds to the emptiest and takes from the fullest until `target` is met or there is no room. */
function settleOn(target: number, shares: readonly Share[]): void {
  let total = shares.reduce((sum, share) => sum + share.count, 0);
  for (; total > target; total--) {
    const fullest = shares.reduce((best, share) => (share.count >= best.count ? share : best));
    fullest.count--;
  }
  for (; total < target; total++) {
    let emptiest: Share | undefined;
    for (const share of shares)
      if (share.count < share.room && share.count < (emptiest?.count ?? Infinity)) emptiest = share;
    if (!emptiest) return;
    emptiest.count++;
  }
}

function slotsOf(app: string, { node, ordinals, count }: Share): Slot[] {
  const kept = ordinals.slice(0, count);
  for (let next = 0; kept.length < count; next++) if (!ordinals.includes(next)) kept.push(next);
  return kept.sort((a, b) => a - b).map((ordinal) => ({ app, node, ordinal }));
}

const quotient = (available: number, each: number): number =>
  each === 0 ? Infinity : Math.max(0, Math.floor(available / each));

const cpuRoom = (node: PlacementNode, { cpuMilli }: Nutrients): number =>
  node.cpuMilli === 0 ? Infinity : quotient(node.cpuMilli - node.usedCpuMilli, cpuMilli);

const memoryRoom = (node: PlacementNode, { memoryMb }: Nutrients): number =>
  node.memoryMb === 0 ? Infinity : quotient(node.memoryMb - node.usedMemoryMb, memoryMb);

const roomOn = (node: PlacementNode, nutrients: Nutrients): number =>
  Math.min(cpuRoom(node, nutrients), memoryRoom(node, nutrients));

function budgetLimit(budget: Budget | null, nutrients: Nutrients): PlacementLimit | null {
  if (!budget) return null;
  const { maxInstances, cpuMilli, memoryMb } = budget;
  const limits = [
    { field: 'maxInstances', fits: maxInstances === 0 ? Infinity : maxInstances },
    { field: 'cpuMilli', fits: cpuMilli === 0 ? Infinity : quotient(cpuMilli, nutrients.cpuMilli) },
    { field: 'memoryMb', fits: memoryMb === 0 ? Infinity : quotient(memoryMb, nutrients.memoryMb) },
  ] as const;
  const tightest = limits.reduce((best, limit) => (limit.fits < best.fits ? limit : best));
  return tightest.fits === Infinity ? null : { source: 'budget', ...tightest };
}

function capacityLimit(
  nodes: readonly PlacementNode[],
  nutrients: Nutrients,
  fits: number,
): PlacementLimit {
  const total = (room: typeof cpuRoom): number =>
    nodes.reduce((sum, node) => sum + room(node, nutrients), 0);
  if (nodes.length === 0) return { source: 'capacity', field: 'nodes', fits };
  const field = total(memoryRoom) < total(cpuRoom) ? 'memoryMb' : 'cpuMilli';
  return { source: 'capacity', field, fits };
}

/** FNV-1a over both names, mixed as MurmurHash3's finalizer does: short keys differ in all bits. */
function rendezvous(app: string, node: string): number {
  let hash = 0x811c9dc5;
  for (const character of `${app}\n${node}`)
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
