//! The audit log. Each line holds the hash of the line before it and of itself, so that none can be changed,
//! taken out or put in without all behind it being made anew. Who has the last hash written down elsewhere
//! can tell that, too. Where old lines were pruned (see `retention`), a line says up to which one.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use rusqlite::{Connection, Row, params};

use super::database::Database;
use super::error::StoreError;
use super::retention;
use super::sessions::SessionId;
use crate::groups::GroupId;

/// What happened, by whom, and whether it was allowed. Never what a page shows, a key or a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Unix seconds.
    pub at: i64,
    pub actor: Actor,
    /// A word of this program's, such as `join`.
    pub action: &'static str,
    pub group: Option<GroupId>,
    pub session: Option<SessionId>,
    pub outcome: Outcome,
    /// A few words; may be empty.
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// By the name that they log in with.
    Agent(String),
    Edge,
    /// Who has a shell on the machine.
    Operator,
    Visitor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    Refused,
}

/// A line as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    pub seq: i64,
    pub at: i64,
    pub actor: String,
    pub action: String,
    pub group: Option<i64>,
    pub session: Option<String>,
    pub outcome: String,
    pub reason: String,
    hash: [u8; 32],
}

/// Every line follows from the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    Whole {
        lines: i64,
        /// So many before them were pruned.
        pruned: i64,
        /// The last one, in hex: to be kept elsewhere.
        head: String,
    },
    Broken(Broken),
}

/// What was found first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The line is not as it was written, or one before it is gone.
    Line(i64),
    /// Lines before this one are gone.
    Gap(i64),
    /// The end of the log is gone, from this line on.
    End(i64),
    /// The lines up to this one are gone, and no line says that they were pruned.
    Start(i64),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(name) => write!(f, "agent:{name}"),
            Self::Edge => f.write_str("edge"),
            Self::Operator => f.write_str("operator"),
            Self::Visitor => f.write_str("visitor"),
        }
    }
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(seq) => write!(f, "line {seq} is not as it was written"),
            Self::Gap(seq) => write!(f, "lines before line {seq} are gone"),
            Self::Start(seq) => write!(f, "lines up to {seq} are gone, and were not pruned"),
            Self::End(seq) => write!(f, "the log ends before line {seq}, which is gone"),
        }
    }
}

impl Database {
    pub fn audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.write(|transaction| append(transaction, entry))
    }

    /// Reads the whole log; an edge may go on writing meanwhile.
    pub fn verify_audit(&self) -> Result<Verified, StoreError> {
        let transaction = self.connection.unchecked_transaction()?;
        let (expected, expected_hash) = head(&transaction)?;
        let (pruned, anchor) = retention::anchor(&transaction)?;
        let (mut seq, mut previous) = (pruned, anchor);
        let mut told = (pruned > 0).then(|| retention::pruned_up_to(pruned, &anchor));
        let mut statement = transaction.prepare(ALL)?;
        for line in statement.query_map((), read)? {
            let line = line?;
            if line.seq != seq + 1 {
                return Ok(Verified::Broken(Broken::Gap(line.seq)));
            }
            if line.hash != line.chained(&previous) {
                return Ok(Verified::Broken(Broken::Line(line.seq)));
            }
            told.take_if(|reason| line.action == retention::ACTION && line.reason == *reason);
            (seq, previous) = (line.seq, line.hash);
        }
        if (seq, previous) != (expected, expected_hash) {
            return Ok(Verified::Broken(Broken::End(seq + 1)));
        }
        if told.is_some() {
            return Ok(Verified::Broken(Broken::Start(pruned)));
        }
        Ok(Verified::Whole {
            lines: seq - pruned,
            pruned,
            head: hex(&previous),
        })
    }

    /// The newest lines, oldest first.
    pub fn audit_lines(&self, newest: u32) -> Result<Vec<AuditLine>, StoreError> {
        let mut statement = self.connection.prepare(
            "SELECT seq, at, actor, action, group_id, session, outcome, reason, hash
             FROM audit ORDER BY seq DESC LIMIT ?1",
        )?;
        let lines = statement.query_map([newest], read)?;
        let mut lines = lines.collect::<Result<Vec<_>, _>>()?;
        lines.reverse();
        Ok(lines)
    }
}

impl AuditLine {
    /// SHA-256 of the hash before and of every field, each behind its length, so that no two lines are the
    /// same bytes.
    fn chained(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        context.update(previous);
        let group = self.group.map(|group| group.to_string());
        let fields = [
            Some(self.seq.to_string()),
            Some(self.at.to_string()),
            Some(self.actor.clone()),
            Some(self.action.clone()),
            group,
            self.session.clone(),
            Some(self.outcome.clone()),
            Some(self.reason.clone()),
        ];
        for field in fields {
            let (mark, text) = field.map_or((0, String::new()), |text| (1, text));
            context.update(&[mark]);
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text.as_bytes());
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        hash
    }
}

/// One more line at the end of the chain.
pub(super) fn append(connection: &Connection, entry: &AuditEntry) -> Result<(), StoreError> {
    let (last, previous) = head(connection)?;
    let mut line = AuditLine {
        seq: last + 1,
        at: entry.at,
        actor: shortened(&entry.actor.to_string()),
        action: entry.action.to_owned(),
        group: entry.group.map(|group| i64::from(group.as_u32())),
        session: entry.session.map(|session| session.to_string()),
        outcome: entry.outcome.as_str().to_owned(),
        reason: shortened(&entry.reason),
        hash: [0; 32],
    };
    line.hash = line.chained(&previous);
    insert(connection, &line)?;
    connection.execute(
        "UPDATE audit_head SET seq = ?1, hash = ?2 WHERE one = 1",
        params![line.seq, line.hash],
    )?;
    Ok(())
}

fn head(connection: &Connection) -> rusqlite::Result<(i64, [u8; 32])> {
    connection.query_row(
        "SELECT seq, hash FROM audit_head WHERE one = 1",
        (),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

fn insert(connection: &Connection, line: &AuditLine) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
        .execute(params![
            line.seq,
            line.at,
            line.actor,
            line.action,
            line.group,
            line.session,
            line.outcome,
            line.reason,
            line.hash,
        ])
}

fn read(row: &Row<'_>) -> rusqlite::Result<AuditLine> {
    Ok(AuditLine {
        seq: row.get(0)?,
        at: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        group: row.get(4)?,
        session: row.get(5)?,
        outcome: row.get(6)?,
        reason: row.get(7)?,
        hash: row.get(8)?,
    })
}

/// Lines stay lines, and none is long, whoever's words are in it.
fn shortened(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(TEXT_CHARACTERS_MAX).collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const ALL: &str = "SELECT seq, at, actor, action, group_id, session, outcome, reason, hash FROM audit ORDER BY seq";

const TEXT_CHARACTERS_MAX: usize = 200;
