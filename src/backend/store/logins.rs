use rusqlite::{Row, params};

use super::database::Database;
use super::error::StoreError;

/// An agent's login, as it outlives a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRecord {
    /// Of the cookie's value.
    pub token_hash: [u8; 32],
    pub agent: i64,
    /// That of the agent when the password was given; see [`AgentRecord`](super::AgentRecord).
    pub generation: i64,
    /// Unix seconds.
    pub created: i64,
    /// The last sign of life, unix seconds.
    pub seen: i64,
}

impl Database {
    /// Inserts, or moves `seen` on. A login of an agent who is gone meanwhile is none.
    pub fn save_login(&self, record: &LoginRecord) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT INTO login (token_hash, agent, generation, created, seen)
             SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM agent WHERE id = ?2)
             ON CONFLICT (token_hash) DO UPDATE SET seen = ?5",
            params![
                record.token_hash,
                record.agent,
                record.generation,
                record.created,
                record.seen,
            ],
        )?;
        Ok(())
    }

    pub fn load_logins(&self) -> Result<Vec<LoginRecord>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT token_hash, agent, generation, created, seen FROM login ORDER BY seen",
        )?;
        let records = statement.query_map((), read)?;
        Ok(records.collect::<Result<_, _>>()?)
    }

    pub fn end_logins(&mut self, token_hashes: &[[u8; 32]]) -> Result<(), StoreError> {
        self.write(|transaction| {
            for token_hash in token_hashes {
                transaction.execute("DELETE FROM login WHERE token_hash = ?1", [token_hash])?;
            }
            Ok(())
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<LoginRecord> {
    Ok(LoginRecord {
        token_hash: row.get(0)?,
        agent: row.get(1)?,
        generation: row.get(2)?,
        created: row.get(3)?,
        seen: row.get(4)?,
    })
}
