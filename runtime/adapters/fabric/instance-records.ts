/** Instances and endpoints as rows; every function runs within its caller's transaction. */
import { fabricError } from '../../../machines/workload/fabric-errors.ts';
import type { InstanceRecord, InstanceRole } from '../../../machines/workload/instance-record.ts';
import type { Endpoint } from '../../../machines/workload/plan.ts';
import type { Database } from './database.ts';
import { ENDPOINTS_MAX, INSTANCES_MAX } from './limits.ts';
import { decoded, encoded, upsertSql } from './rows.ts';

const PUT_INSTANCE = upsertSql(
  'instances',
  ['instance'],
  [
    'instance',
    'app',
    'node',
    'ordinal',
    'generation',
    'digest',
    'restart',
    'version',
    'role',
    'token',
    'process',
    'port',
    'createdAtMs',
  ],
);
const PUT_ENDPOINT = upsertSql(
  'endpoints',
  ['instance'],
  ['instance', 'app', 'url', 'node', 'generation', 'expiresAtMs'],
);

export function instanceRows(
  db: Database,
  { app = null, node = null }: { readonly app?: string | null; readonly node?: string | null },
): InstanceRecord[] {
  return db
    .all<InstanceRecord>(
      `SELECT * FROM instances WHERE (:app IS NULL OR app = :app)
         AND (:node IS NULL OR node = :node) ORDER BY createdAtMs, instance`,
      { app, node },
    )
    .map((row) => decoded(row, 'process'));
}

export function putInstance(db: Database, record: InstanceRecord): void {
  refuseAbove(db, 'instances', INSTANCES_MAX, record.instance);
  db.run(PUT_INSTANCE, encoded(record));
}

export function putRole(db: Database, instance: string, role: InstanceRole): void {
  db.run('UPDATE instances SET role = :role WHERE instance = :instance', { instance, role });
}

export function isActive(db: Database, instance: string): boolean {
  const sql = `SELECT 1 AS found FROM instances WHERE instance = :instance AND role = 'active'`;
  return db.get(sql, { instance }) !== undefined;
}

export function forgetInstance(db: Database, instance: string): void {
  db.run('DELETE FROM instances WHERE instance = :instance', { instance });
  removeEndpoint(db, instance);
}

export function endpointRows(db: Database): Endpoint[] {
  return db.all('SELECT * FROM endpoints ORDER BY app, node, instance');
}

export function endpointsOf(db: Database, app: string): Endpoint[] {
  return db.all('SELECT * FROM endpoints WHERE app = :app ORDER BY node, instance', { app });
}

/** MESH_ERR_FABRIC_UNKNOWN_INSTANCE where the instance is not recorded. */
export function putEndpoint(db: Database, endpoint: Endpoint): void {
  const { instance, app } = endpoint;
  if (!db.get('SELECT 1 AS found FROM instances WHERE instance = :instance', { instance }))
    throw fabricError(
      'MESH_ERR_FABRIC_UNKNOWN_INSTANCE',
      `Adding an endpoint of ${app} found no record of its instance ${instance}.`,
      { details: { app, instance } },
    );
  refuseAbove(db, 'endpoints', ENDPOINTS_MAX, endpoint.instance);
  db.run(PUT_ENDPOINT, encoded(endpoint));
}

export function removeEndpoint(db: Database, instance: string): void {
  db.run('DELETE FROM endpoints WHERE instance = :instance', { instance });
}

/** Endpoints that are gone already stay gone. */
export function renewEndpoint(db: Database, instance: string, expiresAtMs: number): void {
  db.run('UPDATE endpoints SET expiresAtMs = :expiresAtMs WHERE instance = :instance', {
    instance,
    expiresAtMs,
  });
}

export function dropEndpoints(db: Database, nowMs: number): number {
  return db.run('DELETE FROM endpoints WHERE expiresAtMs < :nowMs', { nowMs });
}

function refuseAbove(
  db: Database,
  table: 'instances' | 'endpoints',
  bound: number,
  instance: string,
): void {
  const others = db.get<{ count: number }>(
    `SELECT COUNT(*) AS count FROM ${table} WHERE instance <> :instance`,
    { instance },
  );
  if ((others?.count ?? 0) >= bound)
    throw fabricError(
      'MESH_ERR_FABRIC_FULL',
      `Keeping ${table.slice(0, -1)} ${instance} was refused: there are ${bound} others.`,
    );
}
