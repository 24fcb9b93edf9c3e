/** Nodes, slots and slot reports as rows; every function runs within its caller's transaction. */
import { fabricError } from '../../../machines/workload/fabric-errors.ts';
import type {
  Assignment,
  NodeRecord,
  Permission,
  Slot,
  SlotReport,
} from '../../../machines/workload/plan.ts';
import type { Database } from './database.ts';
import { NODES_MAX } from './limits.ts';
import { decoded, encoded, upsertSql } from './rows.ts';

const PUT_NODE = upsertSql('nodes', ['node'], ['node', 'cpuMilli', 'memoryMb', 'expiresAtMs']);
const SLOT_KEYS = ['app', 'node', 'ordinal'];
const PUT_SLOT = upsertSql('slots', SLOT_KEYS, [...SLOT_KEYS, 'permission']);
const PUT_REPORT = upsertSql('slotReports', SLOT_KEYS, [
  ...SLOT_KEYS,
  'generation',
  'state',
  'reason',
  'restarts',
  'updatedAtMs',
]);
const OF_SLOT = 'app = :app AND node = :node AND ordinal = :ordinal';
const ASSIGNMENTS = `
  SELECT slots.app, node, ordinal, generation, digest, restart, version, strategy, permission
  FROM slots JOIN plans ON plans.app = slots.app`;

export function nodeRows(db: Database): NodeRecord[] {
  return db.all<NodeRecord>('SELECT * FROM nodes ORDER BY node');
}

export function nodeRow(db: Database, node: string): NodeRecord | undefined {
  return db.get<NodeRecord>('SELECT * FROM nodes WHERE node = :node', { node });
}

export function putNode(db: Database, node: NodeRecord): void {
  const others = db.get<{ count: number }>(
    'SELECT COUNT(*) AS count FROM nodes WHERE node <> :node',
    { node: node.node },
  );
  if ((others?.count ?? 0) >= NODES_MAX)
    throw fabricError(
      'MESH_ERR_FABRIC_FULL',
      `Registering node ${node.node} was refused: ${NODES_MAX} other nodes are known.`,
    );
  db.run(PUT_NODE, encoded(node));
}

/** Its agent will not report again, so what it said of its slots goes with it. */
export function forgetNode(db: Database, node: string): number {
  db.run('DELETE FROM slotReports WHERE node = :node', { node });
  return db.run('DELETE FROM nodes WHERE node = :node', { node });
}

/** An agent that was killed while a slot drained cannot say any more that it stopped. */
export function forgetGhosts(db: Database, node: string): void {
  db.run(
    `DELETE FROM slotReports AS report WHERE node = :node
       AND NOT EXISTS (SELECT 1 FROM slots WHERE slots.app = report.app
         AND slots.node = report.node AND slots.ordinal = report.ordinal)
       AND NOT EXISTS (SELECT 1 FROM instances WHERE instances.app = report.app
         AND instances.node = report.node AND instances.ordinal = report.ordinal)`,
    { node },
  );
}

export function slotRows(db: Database): (Slot & { readonly permission: Permission })[] {
  return db.all('SELECT * FROM slots ORDER BY app, node, ordinal');
}

export function assignmentsOfApp(db: Database, app: string): Assignment[] {
  return db.all(`${ASSIGNMENTS} WHERE slots.app = :app ORDER BY node, ordinal`, { app });
}

export function assignmentsOfNode(db: Database, node: string): Assignment[] {
  return db.all(`${ASSIGNMENTS} WHERE node = :node ORDER BY slots.app, ordinal`, { node });
}

export function addSlots(db: Database, slots: readonly Slot[], permission: Permission): void {
  for (const slot of slots) db.run(PUT_SLOT, { ...slot, permission });
}

/** A report stays until its agent says that the slot has stopped. */
export function removeSlots(db: Database, slots: readonly Slot[]): void {
  for (const slot of slots) {
    const key = { ...slot };
    db.run(`DELETE FROM slots WHERE ${OF_SLOT}`, key);
    db.run(`DELETE FROM slotReports WHERE ${OF_SLOT} AND state = 'stopped'`, key);
  }
}

export function permitSlot(db: Database, slot: Slot, permission: Permission): void {
  db.run(`UPDATE slots SET permission = :permission WHERE ${OF_SLOT}`, { ...slot, permission });
}

export function permitAll(db: Database, app: string, permission: Permission): void {
  db.run('UPDATE slots SET permission = :permission WHERE app = :app', { app, permission });
}

export function reportsOf(db: Database, app: string): SlotReport[] {
  return db
    .all<SlotReport>('SELECT * FROM slotReports WHERE app = :app ORDER BY node, ordinal', { app })
    .map((row) => decoded(row, 'reason'));
}

/** `newest` is the generation of the app's plan; a report cannot be of a later one. */
export function putReport(db: Database, report: SlotReport, newest: number): void {
  const key = { app: report.app, node: report.node, ordinal: report.ordinal };
  const last = db.get<{ generation: number }>(
    `SELECT generation FROM slotReports WHERE ${OF_SLOT}`,
    key,
  );
  if (report.generation > newest || report.generation < (last?.generation ?? 0)) return;
  const hasSlot = db.get(`SELECT 1 AS found FROM slots WHERE ${OF_SLOT}`, key) !== undefined;
  if (!hasSlot && report.state === 'stopped')
    db.run(`DELETE FROM slotReports WHERE ${OF_SLOT}`, key);
  else if (hasSlot || nodeRow(db, report.node)) db.run(PUT_REPORT, encoded(report));
}
