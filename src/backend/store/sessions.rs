use std::fmt;
use std::str::FromStr;

use aws_lc_rs::rand;
use rusqlite::{OptionalExtension, Row, params};

use super::database::Database;
use super::error::StoreError;
use crate::groups::GroupId;

/// How a session is called in lists and in the audit log. It is public: knowing it gives no right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

/// The text is not 16 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session ID is 16 hex digits")]
pub struct SessionIdError;

/// What is known of a session after a restart. What its pages show is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    pub id: SessionId,
    pub group: GroupId,
    pub key: String,
    /// Of the visitor's resume token.
    pub token_hash: [u8; 32],
    pub state: String,
    pub paused: bool,
    /// Unix seconds.
    pub started: i64,
    /// Further metadata, as the room that saves it spells it.
    pub details: String,
}

impl SessionId {
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// `None`: the system gives no random numbers.
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 8];
        rand::fill(&mut bytes).ok()?;
        Some(Self(u64::from_be_bytes(bytes)))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

impl FromStr for SessionId {
    type Err = SessionIdError;

    /// One spelling only: as `Display` writes it.
    fn from_str(text: &str) -> Result<Self, SessionIdError> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 16 || !text.bytes().all(is_hex) {
            return Err(SessionIdError);
        }
        u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| SessionIdError)
    }
}

impl Database {
    pub fn save_session(&self, record: &SessionRecord) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT INTO session (id, group_id, key, token_hash, state, paused, started, details)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO UPDATE SET group_id = ?2, key = ?3, token_hash = ?4, state = ?5,
                 paused = ?6, started = ?7, details = ?8
             WHERE ended IS NULL",
            params![
                record.id.to_string(),
                record.group.as_u32(),
                record.key,
                record.token_hash,
                record.state,
                record.paused,
                record.started,
                record.details,
            ],
        )?;
        Ok(())
    }

    pub fn load_sessions(&self) -> Result<Vec<SessionRecord>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, group_id, key, token_hash, state, paused, started, details
             FROM session WHERE ended IS NULL ORDER BY started, id",
        )?;
        let records = statement.query_map((), read)?;
        Ok(records.collect::<Result<_, _>>()?)
    }

    /// Also forgets sessions that ended long ago.
    pub fn end_session(
        &mut self,
        id: SessionId,
        ended: i64,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE session SET ended = ?2, end_reason = ?3, token_hash = NULL, details = ''
                 WHERE id = ?1 AND ended IS NULL",
                params![id.to_string(), ended, reason],
            )?;
            transaction.execute(
                "DELETE FROM session WHERE ended < ?1",
                [ended.saturating_sub(KEPT_SECONDS)],
            )?;
            Ok(())
        })
    }

    /// When and why it ended.
    pub fn ended_session(&self, id: SessionId) -> Result<Option<(i64, String)>, StoreError> {
        let ended = self.connection.query_row(
            "SELECT ended, end_reason FROM session WHERE id = ?1 AND ended IS NOT NULL",
            [id.to_string()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        );
        Ok(ended.optional()?)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<SessionRecord> {
    let id: String = row.get(0)?;
    Ok(SessionRecord {
        id: id.parse().map_err(|error| wrong(0, error))?,
        group: super::agents::read_group(row, 1)?,
        key: row.get(2)?,
        token_hash: row.get(3)?,
        state: row.get(4)?,
        paused: row.get(5)?,
        started: row.get(6)?,
        details: row.get(7)?,
    })
}

fn wrong(column: usize, error: SessionIdError) -> rusqlite::Error {
    let kind = rusqlite::types::Type::Text;
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}

/// 90 days: what happened is in the audit log for longer.
const KEPT_SECONDS: i64 = 90 * 24 * 60 * 60;
