/** Tables of a peer. Ids, keys and signatures are raw octets; times are milliseconds of the wall clock. */

/** `Mype` in ASCII: the file is a peer's. */
export const APPLICATION_ID = 0x4d797065;

/** Public, direct, group; meta messages are never kept. */
export const KINDS = ['public', 'direct', 'group'] as const;

/**
 * `messages` is narrow, so that asking what there is since a moment reads a fortieth of the pages
 * that the texts in `envelopes` fill. `row` is shared with `quarantine`, only grows and is never used
 * again: it is the feed's sequence number. `stored_at` never falls with `row`, whatever the clock does,
 * so a moment is found by bisection and needs no index. Ids are random, so each insert changes another
 * page of their index; `prefix`, their first six octets as a number, makes its entries a third as long
 * and a batch change a third of the pages. Whoever looks for an id compares all of it.
 *
 * History: 1, the first.
 */
const VERSION_1 = `
  CREATE TABLE messages (
    row        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL,
    prefix     INTEGER NOT NULL,
    sender     BLOB NOT NULL,
    kind       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    stored_at  INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX messages_prefix ON messages (prefix);
  CREATE INDEX messages_expiry ON messages (expires_at);
  CREATE TABLE envelopes (row INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
  CREATE TABLE quarantine (
    row        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL,
    signature  TEXT NOT NULL,
    sender     BLOB NOT NULL,
    via        TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    stored_at  INTEGER NOT NULL,
    text       TEXT NOT NULL,
    UNIQUE (id, signature)
  ) STRICT;
  CREATE INDEX quarantine_sender ON quarantine (sender);
  CREATE INDEX quarantine_expiry ON quarantine (expires_at);
  CREATE TABLE tombstones (
    seq        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL,
    signature  TEXT NOT NULL,
    via        TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (id, signature)
  ) STRICT;
  CREATE INDEX tombstones_expiry ON tombstones (expires_at);
  CREATE TABLE ended (id BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX ended_expiry ON ended (expires_at);
  CREATE TABLE keys (
    peer_id    BLOB PRIMARY KEY,
    public_key BLOB NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX keys_expiry ON keys (expires_at);
  CREATE TABLE peers (
    peer_id       BLOB PRIMARY KEY,
    name          TEXT,
    queried_at    INTEGER,
    completed_at  INTEGER,
    session_id    TEXT,
    session_start INTEGER,
    session_since INTEGER,
    outcome       TEXT,
    misbehaved    INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE seen (id BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX seen_expiry ON seen (expires_at);
  CREATE TABLE outbox (
    seq        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    attempts   INTEGER NOT NULL DEFAULT 0,
    due_at     INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER NOT NULL,
    text       TEXT NOT NULL
  ) STRICT;
  CREATE INDEX outbox_due ON outbox (due_at, seq);
  CREATE INDEX outbox_expiry ON outbox (expires_at);
  CREATE TABLE dead_letters (
    seq        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    attempts   INTEGER NOT NULL,
    code       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    text       TEXT NOT NULL
  ) STRICT;
  CREATE INDEX dead_letters_expiry ON dead_letters (expires_at);
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

export const MIGRATIONS = [VERSION_1];
