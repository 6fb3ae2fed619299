//! The tables, and how a file of an older version comes to have them.

use rusqlite::{Connection, TransactionBehavior};

/// `cobw`: marks the file as ours.
pub(super) const APPLICATION_ID: i64 = 0x636f_6277;

/// One step for each version; a step is never changed once it was released.
const STEPS: &[&str] = &[FIRST, SECOND];

pub(super) fn version() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Brings the file to this version, in one transaction: it has all of a step or nothing.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(found).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version())?;
    transaction.commit()
}

/// `agent.id` is never used twice, so that no login of an agent who was removed is one of a later agent.
/// `agent.generation` counts passwords: a login of an older one is dead.
const FIRST: &str = "
CREATE TABLE agent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    role TEXT,
    password TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE TABLE agent_group (
    agent INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    group_id INTEGER NOT NULL CHECK (group_id > 0),
    may_view INTEGER NOT NULL CHECK (may_view IN (0, 1)),
    may_point INTEGER NOT NULL CHECK (may_point IN (0, 1)),
    may_end INTEGER NOT NULL CHECK (may_end IN (0, 1)),
    PRIMARY KEY (agent, group_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE login (
    token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    agent INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    created INTEGER NOT NULL,
    seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE session (
    id TEXT PRIMARY KEY,
    group_id INTEGER NOT NULL CHECK (group_id > 0),
    key TEXT NOT NULL,
    token_hash BLOB CHECK (token_hash IS NULL OR length(token_hash) = 32),
    state TEXT NOT NULL,
    paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
    started INTEGER NOT NULL,
    details TEXT NOT NULL,
    ended INTEGER,
    end_reason TEXT,
    CHECK ((ended IS NULL) = (token_hash IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX session_open ON session (started) WHERE ended IS NULL;
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    group_id INTEGER,
    session TEXT,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_holds BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TABLE audit_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO audit_head VALUES (1, 0, zeroblob(32));
";

/// Old lines of the audit log may go; where it begins now stands in `audit_anchor`, with the hash of the last
/// line that went.
const SECOND: &str = "
CREATE TABLE audit_anchor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO audit_anchor VALUES (1, 0, zeroblob(32));
DROP TRIGGER audit_stays;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
    WHEN OLD.seq > (SELECT seq FROM audit_anchor WHERE one = 1)
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
";
