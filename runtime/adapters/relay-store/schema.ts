/** Tables of a relay. Ids are raw octets; times are milliseconds of the wall clock. */

/** `Myre` in ASCII: the file is a relay's. */
export const APPLICATION_ID = 0x4d797265;

/**
 * `usage` holds how much waits for a recipient (`r`), of a sender (`s`) and of a sender for a recipient
 * (`p`), changed in the transactions that change `items`. `settled` are acknowledged messages that have
 * not ended: a copy of them is a duplicate.
 *
 * History: 1, the first.
 */
const VERSION_1 = `
  CREATE TABLE items (
    row        INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient  BLOB NOT NULL,
    id         BLOB NOT NULL,
    sender     BLOB NOT NULL,
    sender_key BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    text       TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX items_message ON items (recipient, id);
  CREATE INDEX items_inbox ON items (recipient, row);
  CREATE INDEX items_expiry ON items (expires_at);
  CREATE TABLE settled (
    seq        INTEGER PRIMARY KEY,
    recipient  BLOB NOT NULL,
    id         BLOB NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX settled_message ON settled (recipient, id);
  CREATE INDEX settled_expiry ON settled (expires_at);
  CREATE TABLE usage (
    of    TEXT NOT NULL,
    who   BLOB NOT NULL,
    items INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (of, who)
  ) STRICT, WITHOUT ROWID;
`;

export const MIGRATIONS = [VERSION_1];
