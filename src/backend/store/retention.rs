//! How long lines of the audit log are kept. What goes is the beginning of the chain; the hash of the last
//! line that went stays as the anchor of those behind it, and a line of the log itself says so: whoever cuts
//! the beginning off by himself cannot write that line without making all behind it anew.

use rusqlite::{Connection, OptionalExtension, params};

use super::audit::{Actor, AuditEntry, Outcome, append, hex};
use super::database::Database;
use super::error::StoreError;

/// What is kept of the audit log, whichever is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRetention {
    /// Default: 400, so that a year ago can be looked at.
    pub days: u32,
    /// Default: two millions, some 500 MB.
    pub lines: u32,
}

/// What the line is called that says what was pruned.
pub(super) const ACTION: &str = "prune";
/// So many lines make it worth while; of what is older than it may be, a day does, too.
const LINES_MIN: i64 = 256;
/// In one go: others wait for the disk meanwhile.
pub(super) const LINES_MAX: i64 = 10_000;
const DAY_SECONDS: i64 = 24 * 60 * 60;

impl Default for AuditRetention {
    fn default() -> Self {
        Self {
            days: 400,
            lines: 2_000_000,
        }
    }
}

impl Database {
    /// Prunes what is kept no longer. `now`: unix seconds. Tells how many lines went: when they are many, there
    /// may be more.
    pub fn prune_audit(&mut self, keep: AuditRetention, now: i64) -> Result<i64, StoreError> {
        let oldest = now.saturating_sub(i64::from(keep.days) * DAY_SECONDS);
        let (pruned, _) = anchor(&self.connection)?;
        let (first, last) = (pruned + 1, self.last_line()?);
        let by_count = last.saturating_sub(i64::from(keep.lines));
        let by_age = self.last_before(first, oldest)?;
        let many = by_count.max(by_age) - pruned >= LINES_MIN;
        let stale = self.last_before(first, oldest - DAY_SECONDS)? >= first;
        if !many && !stale {
            return Ok(0);
        }
        let up_to = by_count.max(by_age).min(pruned + LINES_MAX);
        self.write(|transaction| cut(transaction, up_to, now))?;
        Ok(up_to - pruned)
    }

    fn last_line(&self) -> rusqlite::Result<i64> {
        let sql = "SELECT seq FROM audit_head WHERE one = 1";
        self.connection.query_row(sql, (), |row| row.get(0))
    }

    /// The last of the first lines that are all older than this. A clock that was set back leaves a young line among them: what
    /// is behind it stays.
    fn last_before(&self, first: i64, oldest: i64) -> rusqlite::Result<i64> {
        let sql = "SELECT seq FROM audit WHERE seq >= ?1 AND at >= ?2 ORDER BY seq LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let young = statement.query_row([first, oldest], |row| row.get::<_, i64>(0));
        match young.optional()? {
            Some(young) => Ok(young - 1),
            None => self.last_line(),
        }
    }
}

/// The last line that was pruned, and its hash.
pub(super) fn anchor(connection: &Connection) -> rusqlite::Result<(i64, [u8; 32])> {
    let sql = "SELECT seq, hash FROM audit_anchor WHERE one = 1";
    connection.query_row(sql, (), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// What the line says of it.
pub(super) fn pruned_up_to(seq: i64, hash: &[u8; 32]) -> String {
    format!("up to {seq}, whose hash is {}", hex(hash))
}

fn cut(connection: &Connection, up_to: i64, now: i64) -> Result<(), StoreError> {
    let sql = "SELECT hash FROM audit WHERE seq = ?1";
    let hash: [u8; 32] = connection.query_row(sql, [up_to], |row| row.get(0))?;
    let entry = AuditEntry {
        at: now,
        actor: Actor::Edge,
        action: ACTION,
        group: None,
        session: None,
        outcome: Outcome::Allowed,
        reason: pruned_up_to(up_to, &hash),
    };
    append(connection, &entry)?;
    connection.execute(
        "UPDATE audit_anchor SET seq = ?1, hash = ?2 WHERE one = 1",
        params![up_to, hash],
    )?;
    connection.execute("DELETE FROM audit WHERE seq <= ?1", [up_to])?;
    Ok(())
}
