/**
 * What publishing, ending, stopping and placing anew do to the rows; every function runs within its
 * caller's transaction.
 */
import type { ErrorDetails } from '../../../machines/kernel/coded-error.ts';
import { fabricError } from '../../../machines/workload/fabric-errors.ts';
import { place } from '../../../machines/workload/placement.ts';
import type { Placement } from '../../../machines/workload/placement.ts';
import type {
  Outcome,
  Permission,
  PlanRequest,
  Reason,
  Slot,
  Strategy,
} from '../../../machines/workload/plan.ts';
import type { Database } from './database.ts';
import { addSlots, permitAll, removeSlots } from './node-records.ts';
import {
  lastSucceeded,
  pendingDeployment,
  planRow,
  putBudget,
  putDeployment,
  putPlan,
} from './plan-records.ts';
import type { DeploymentRow, PlanRow } from './plan-records.ts';
import { readRoom } from './room.ts';
import type { Room } from './room.ts';

/** What slots may do while their deployment is pending; the rollout opens them further. */
const FIRST_PERMISSION: Readonly<Record<Strategy, Permission>> = {
  blue_green: 'launch',
  stop_first: 'hold',
};

export function publish(db: Database, request: PlanRequest, nowMs: number): PlanRow {
  const { restart: isRestart = false, budget, ...wanted } = request;
  if (budget) putBudget(db, { app: request.app, ...budget });
  const last = planRow(db, request.app);
  const issued = (last?.restartsIssued ?? 0) + (isRestart ? 1 : 0);
  const plan: PlanRow = {
    ...wanted,
    generation: (last?.generation ?? 0) + 1,
    restart: isRestart ? issued : (last?.restart ?? 0),
    restartsIssued: issued,
    intent: 'run',
    revertOf: null,
    publishedAtMs: nowMs,
  };
  const room = readRoom(db);
  const placement = place(room.inputFor(plan));
  if (placement.verdict === 'short') throw refusal(plan, placement);
  const growth = placement.slots.length - room.slotsOf(plan.app).length;
  if (growth > room.slotsFree())
    throw fabricError(
      'MESH_ERR_FABRIC_FULL',
      `Publishing ${plan.app} wants ${growth} more slots; all apps may have ${room.slotsFree()}.`,
    );
  endPending(db, request.app, 'superseded', nowMs);
  putPlan(db, plan);
  putDeployment(db, pendingFor(plan, nowMs));
  settleSlots(db, room, plan, placement.slots);
  permitAll(db, plan.app, FIRST_PERMISSION[plan.strategy]);
  placeAnew(db);
  return plan;
}

function refusal(plan: PlanRow, { limit, slots }: Placement): Error {
  const details: ErrorDetails = { app: plan.app, min: plan.min, fits: slots.length, limit };
  const what = `Publishing ${plan.app} with at least ${plan.min} instances was refused: `;
  return limit?.source === 'budget'
    ? fabricError(
        'MESH_ERR_FABRIC_BUDGET_EXCEEDED',
        `${what}${limit.field} of its budget allows ${limit.fits}.`,
        { details },
      )
    : fabricError(
        'MESH_ERR_FABRIC_CAPACITY_EXCEEDED',
        `${what}${limit?.field ?? 'capacity'} of the living nodes holds ${slots.length}.`,
        { details },
      );
}

const pendingFor = (plan: PlanRow, nowMs: number): DeploymentRow => ({
  app: plan.app,
  generation: plan.generation,
  digest: plan.digest,
  version: plan.version,
  restart: plan.restart,
  min: plan.min,
  max: plan.max,
  strategy: plan.strategy,
  nutrients: plan.nutrients,
  outcome: 'pending',
  reason: null,
  startedAtMs: nowMs,
  endedAtMs: null,
});

function endPending(
  db: Database,
  app: string,
  outcome: Outcome,
  nowMs: number,
  reason: Reason | null = null,
): DeploymentRow | null {
  const pending = pendingDeployment(db, app);
  if (!pending) return null;
  const ended = { ...pending, outcome, reason, endedAtMs: nowMs };
  putDeployment(db, ended);
  return ended;
}

export function stop(db: Database, app: string, nowMs: number): PlanRow {
  const last = planRow(db, app);
  if (!last)
    throw fabricError('MESH_ERR_FABRIC_UNKNOWN_APP', `Stopping ${app} found no plan of it.`);
  if (last.intent === 'stop') return last;
  endPending(db, app, 'stopped', nowMs);
  return putSuccessor(db, { ...last, intent: 'stop', revertOf: null }, last.generation, nowMs);
}

export function end(
  db: Database,
  ending: {
    readonly app: string;
    readonly generation: number;
    readonly outcome: 'succeeded' | 'reverted';
    readonly reason: Reason | null;
  },
  nowMs: number,
): DeploymentRow | null {
  const { app, generation, outcome, reason } = ending;
  const plan = planRow(db, app);
  // A pending deployment is always that of the newest plan.
  if (plan?.generation !== generation || !pendingDeployment(db, app)) return null;
  if (outcome === 'succeeded') {
    permitAll(db, app, 'serve');
    return endPending(db, app, 'succeeded', nowMs, reason);
  }
  const good = lastSucceeded(db, app);
  const ended = endPending(db, app, good ? 'reverted' : 'failed', nowMs, reason);
  const { digest, version, restart, min, max, strategy, nutrients } = good ?? plan;
  const successor = { ...plan, digest, version, restart, min, max, strategy, nutrients };
  const intent = good ? 'run' : 'stop';
  putSuccessor(db, { ...successor, intent, revertOf: generation }, generation, nowMs);
  return ended;
}

/** A plan that is no deployment of its own; where its room is gone it gets what there is. */
function putSuccessor(db: Database, plan: PlanRow, last: number, nowMs: number): PlanRow {
  const successor = { ...plan, generation: last + 1, publishedAtMs: nowMs };
  putPlan(db, successor);
  const room = readRoom(db);
  settleSlots(db, room, successor, place(room.inputFor(successor)).slots);
  permitAll(db, plan.app, 'serve');
  placeAnew(db);
  return successor;
}

/**
 * Gives every app what it is short of and takes what no longer has a node, a budget or room. Apps
 * below their `min` come first. Slots that are kept keep their permission.
 */
export function placeAnew(db: Database): void {
  const room = readRoom(db);
  const plans = [...room.plans].sort(
    (a, b) => Number(room.isShort(b)) - Number(room.isShort(a)) || (a.app < b.app ? -1 : 1),
  );
  for (const plan of plans) settleSlots(db, room, plan, place(room.inputFor(plan)).slots);
}

const keyOf = (slot: Slot): string => `${slot.node} ${slot.ordinal}`;

function settleSlots(db: Database, room: Room, plan: PlanRow, wanted: readonly Slot[]): void {
  const current = room.slotsOf(plan.app);
  const wantedKeys = new Set(wanted.map(keyOf));
  const currentKeys = new Set(current.map(keyOf));
  const surplus = current.filter((slot) => !wantedKeys.has(keyOf(slot)));
  const kept = current.filter((slot) => wantedKeys.has(keyOf(slot)));
  const missing = wanted
    .filter((slot) => !currentKeys.has(keyOf(slot)))
    .slice(0, room.slotsFree() + surplus.length);
  if (surplus.length === 0 && missing.length === 0) return;
  const isPending = pendingDeployment(db, plan.app) !== undefined;
  removeSlots(db, surplus);
  addSlots(db, missing, isPending ? FIRST_PERMISSION[plan.strategy] : 'serve');
  room.setSlots(plan.app, [...kept, ...missing]);
}
