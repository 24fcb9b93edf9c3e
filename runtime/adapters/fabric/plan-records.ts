/** Budgets, plans and deployments as rows; every function runs within its caller's transaction. */
import { fabricError } from '../../../machines/workload/fabric-errors.ts';
import type { Budget, Deployment, Nutrients, Plan } from '../../../machines/workload/plan.ts';
import type { Database, Parameters } from './database.ts';
import { APPS_MAX, HISTORY_PER_APP_MAX } from './limits.ts';
import { decoded, encoded, upsertSql } from './rows.ts';

/** A plan, and the highest restart count that was given out for its app. */
export interface PlanRow extends Plan {
  readonly restartsIssued: number;
}

/** A deployment, and what is needed to publish its plan again. */
export interface DeploymentRow extends Deployment {
  readonly nutrients: Nutrients;
}

type Flat<Row extends { readonly nutrients: Nutrients }> = Omit<Row, 'nutrients'> & Nutrients;

const PLAN_COLUMNS = [
  'app',
  'generation',
  'digest',
  'restart',
  'version',
  'min',
  'max',
  'strategy',
  'cpuMilli',
  'memoryMb',
  'intent',
  'revertOf',
  'publishedAtMs',
  'restartsIssued',
];
const DEPLOYMENT_COLUMNS = [
  'app',
  'generation',
  'digest',
  'version',
  'restart',
  'min',
  'max',
  'strategy',
  'cpuMilli',
  'memoryMb',
  'outcome',
  'reason',
  'startedAtMs',
  'endedAtMs',
];
const PUT_PLAN = upsertSql('plans', ['app'], PLAN_COLUMNS);
const PUT_DEPLOYMENT = upsertSql('deployments', ['app', 'generation'], DEPLOYMENT_COLUMNS);
const PUT_BUDGET = upsertSql('budgets', ['app'], ['app', 'maxInstances', 'cpuMilli', 'memoryMb']);

function nested<Row extends { readonly nutrients: Nutrients }>(row: Flat<Row>): Row {
  const { cpuMilli, memoryMb, ...rest } = row;
  return { ...rest, nutrients: { cpuMilli, memoryMb } } as unknown as Row;
}

export function planRow(db: Database, app: string): PlanRow | undefined {
  const row = db.get<Flat<PlanRow>>('SELECT * FROM plans WHERE app = :app', { app });
  return row && nested<PlanRow>(row);
}

export function planRows(db: Database): PlanRow[] {
  return db.all<Flat<PlanRow>>('SELECT * FROM plans ORDER BY app').map(nested<PlanRow>);
}

/** Without what is ours alone. */
export function asPlan(row: PlanRow): Plan {
  const { restartsIssued: _issued, ...plan } = row;
  return plan;
}

export function putPlan(db: Database, plan: PlanRow): void {
  const { nutrients, ...rest } = plan;
  refuseTooManyApps(db, plan.app);
  db.run(PUT_PLAN, encoded({ ...rest, ...nutrients }));
}

export function budgetOf(db: Database, app: string): Budget | null {
  return db.get<Budget>('SELECT * FROM budgets WHERE app = :app', { app }) ?? null;
}

export function budgets(db: Database): Map<string, Budget> {
  return new Map(db.all<Budget>('SELECT * FROM budgets').map((budget) => [budget.app, budget]));
}

export function putBudget(db: Database, budget: Budget): void {
  refuseTooManyApps(db, budget.app);
  db.run(PUT_BUDGET, encoded(budget));
}

function refuseTooManyApps(db: Database, app: string): void {
  const count = db.get<{ others: number }>(
    `SELECT COUNT(*) AS others FROM
       (SELECT app FROM plans UNION SELECT app FROM budgets) WHERE app <> :app`,
    { app },
  );
  if ((count?.others ?? 0) >= APPS_MAX)
    throw fabricError(
      'MESH_ERR_FABRIC_FULL',
      `Keeping app ${app} was refused: ${APPS_MAX} other apps are known.`,
    );
}

export function apps(db: Database): string[] {
  return db.all<{ app: string }>('SELECT app FROM plans ORDER BY app').map(({ app }) => app);
}

/** Newest first. */
export function deploymentRows(db: Database, app: string): DeploymentRow[] {
  return selectDeployments(db, 'app = :app', { app });
}

export function pendingDeployment(db: Database, app: string): DeploymentRow | undefined {
  return selectDeployments(db, "app = :app AND outcome = 'pending'", { app })[0];
}

export function lastSucceeded(db: Database, app: string): DeploymentRow | undefined {
  return selectDeployments(db, `app = :app AND generation = (${LAST_SUCCEEDED})`, { app })[0];
}

const LAST_SUCCEEDED = `
  SELECT MAX(generation) FROM deployments WHERE app = :app AND outcome = 'succeeded'`;

function selectDeployments(db: Database, where: string, given: Parameters): DeploymentRow[] {
  return db
    .all<Flat<DeploymentRow>>(
      `SELECT * FROM deployments WHERE ${where} ORDER BY generation DESC`,
      given,
    )
    .map((row) => nested<DeploymentRow>(decoded(row, 'reason')));
}

export function asDeployment(row: DeploymentRow): Deployment {
  const { nutrients: _nutrients, ...deployment } = row;
  return deployment;
}

export function putDeployment(db: Database, deployment: DeploymentRow): void {
  const { nutrients, ...rest } = deployment;
  db.run(PUT_DEPLOYMENT, encoded({ ...rest, ...nutrients }));
  forgetOldest(db, deployment.app);
}

/** The newest succeeded one stays, however old: it is what a failing deployment goes back to. */
function forgetOldest(db: Database, app: string): void {
  db.run(
    `DELETE FROM deployments WHERE app = :app AND generation IN (
       SELECT generation FROM deployments
       WHERE app = :app AND generation IS NOT (${LAST_SUCCEEDED})
       ORDER BY generation
       LIMIT MAX(0, (SELECT COUNT(*) FROM deployments WHERE app = :app) - :kept))`,
    { app, kept: HISTORY_PER_APP_MAX },
  );
}

/** Everything that is known of the app, but for its instances. */
export function forgetApp(db: Database, app: string): void {
  for (const table of ['plans', 'budgets', 'deployments', 'slots', 'slotReports', 'endpoints'])
    db.run(`DELETE FROM ${table} WHERE app = :app`, { app });
}
