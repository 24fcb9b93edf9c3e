/**
 * The tables of the control plane. Columns are named as the fields of the records are, so that a row
 * is a record. `user_version` counts the steps that were applied; a step is never changed once it
 * was released, a new one is appended.
 *
 * 1: budgets, plans, deployments, nodes, slots, reports, endpoints, instances.
 */

/** Marks the file as ours: "MESH". */
export const APPLICATION_ID = 0x4d455348;

const STEP_1 = `
CREATE TABLE budgets (
  app TEXT PRIMARY KEY, maxInstances INTEGER NOT NULL, cpuMilli INTEGER NOT NULL,
  memoryMb INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE plans (
  app TEXT PRIMARY KEY, generation INTEGER NOT NULL CHECK (generation > 0), digest TEXT NOT NULL,
  restart INTEGER NOT NULL, version TEXT NOT NULL, min INTEGER NOT NULL, max INTEGER NOT NULL,
  strategy TEXT NOT NULL CHECK (strategy IN ('blue_green', 'stop_first')),
  cpuMilli INTEGER NOT NULL, memoryMb INTEGER NOT NULL,
  intent TEXT NOT NULL CHECK (intent IN ('run', 'stop')), revertOf INTEGER,
  publishedAtMs INTEGER NOT NULL,
  -- The highest restart count ever given out: a count that was reverted is not used twice.
  restartsIssued INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deployments (
  app TEXT NOT NULL, generation INTEGER NOT NULL, digest TEXT NOT NULL, restart INTEGER NOT NULL,
  version TEXT NOT NULL, min INTEGER NOT NULL, max INTEGER NOT NULL, strategy TEXT NOT NULL,
  cpuMilli INTEGER NOT NULL, memoryMb INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK
    (outcome IN ('pending', 'succeeded', 'reverted', 'failed', 'superseded', 'stopped')),
  reason TEXT, startedAtMs INTEGER NOT NULL, endedAtMs INTEGER,
  PRIMARY KEY (app, generation),
  CHECK ((outcome = 'pending') = (endedAtMs IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX onePendingDeployment ON deployments (app) WHERE outcome = 'pending';

CREATE TABLE nodes (
  node TEXT PRIMARY KEY, cpuMilli INTEGER NOT NULL, memoryMb INTEGER NOT NULL,
  expiresAtMs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE slots (
  app TEXT NOT NULL, node TEXT NOT NULL, ordinal INTEGER NOT NULL CHECK (ordinal >= 0),
  permission TEXT NOT NULL CHECK (permission IN ('hold', 'launch', 'serve')),
  PRIMARY KEY (app, node, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX slotsByNode ON slots (node);

CREATE TABLE slotReports (
  app TEXT NOT NULL, node TEXT NOT NULL, ordinal INTEGER NOT NULL, generation INTEGER NOT NULL,
  state TEXT NOT NULL, reason TEXT, restarts INTEGER NOT NULL, updatedAtMs INTEGER NOT NULL,
  PRIMARY KEY (app, node, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX slotReportsByNode ON slotReports (node);

CREATE TABLE endpoints (
  instance TEXT PRIMARY KEY, app TEXT NOT NULL, url TEXT NOT NULL, node TEXT NOT NULL,
  generation INTEGER NOT NULL, expiresAtMs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX endpointsByApp ON endpoints (app);

CREATE TABLE instances (
  instance TEXT PRIMARY KEY, app TEXT NOT NULL, node TEXT NOT NULL, ordinal INTEGER NOT NULL,
  generation INTEGER NOT NULL, digest TEXT NOT NULL, restart INTEGER NOT NULL,
  version TEXT NOT NULL, role TEXT NOT NULL CHECK (role IN ('active', 'candidate', 'retired')),
  token TEXT NOT NULL, process TEXT, port INTEGER, createdAtMs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX instancesByApp ON instances (app);
CREATE INDEX instancesByNode ON instances (node);
`;

/** One step per schema version; the last version is their number. */
export const MIGRATIONS: readonly string[] = [STEP_1];
