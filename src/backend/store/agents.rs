use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rusqlite::{ErrorCode, OptionalExtension, Row, Transaction, params};

use super::database::Database;
use super::error::StoreError;
use crate::groups::GroupId;

/// How an agent logs in: lower-case letters, digits and `. _ @ -`, 1 to 64 of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an agent's name has 1 to 64 letters, digits and . _ @ - only")]
pub struct AgentNameError;

/// What an agent may do in the sessions of a group. Each stands for itself: who may end sessions need not be
/// one who may look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// See the page.
    pub view: bool,
    /// Show something on the visitor's page, or say something to it.
    pub point: bool,
    /// End the session for everybody.
    pub end: bool,
}

/// An agent, with all rights.
#[derive(Clone, PartialEq, Eq)]
pub struct AgentRecord {
    /// Never that of another agent, also after this one is gone.
    pub id: i64,
    pub name: AgentName,
    pub display_name: String,
    /// For the visitor's page.
    pub role: Option<String>,
    /// As a PHC string.
    pub password: String,
    /// Goes up with each new password, which ends all logins.
    pub generation: i64,
    /// Groups without any right are not in it.
    pub rights: BTreeMap<GroupId, Rights>,
}

impl AgentName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AgentName {
    type Err = AgentNameError;

    /// Capital letters mean the same as small ones.
    fn from_str(text: &str) -> Result<Self, AgentNameError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
        if text.is_empty() || text.len() > 64 || !text.bytes().all(is_plain) {
            return Err(AgentNameError);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AgentRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id, name, rights, ..
        } = self;
        write!(f, "AgentRecord({id}, {name}, {rights:?})")
    }
}

impl Rights {
    pub const ALL: Self = Self {
        view: true,
        point: true,
        end: true,
    };
    pub const NONE: Self = Self {
        view: false,
        point: false,
        end: false,
    };

    pub fn any(self) -> bool {
        self != Self::NONE
    }

    /// These and those.
    pub fn with(self, more: Self) -> Self {
        Self {
            view: self.view || more.view,
            point: self.point || more.point,
            end: self.end || more.end,
        }
    }

    /// These, but not those.
    pub fn without(self, less: Self) -> Self {
        Self {
            view: self.view && !less.view,
            point: self.point && !less.point,
            end: self.end && !less.end,
        }
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (self.view, "view"),
            (self.point, "point"),
            (self.end, "end"),
        ];
        let held: Vec<_> = words
            .iter()
            .filter(|(held, _)| *held)
            .map(|(_, word)| *word)
            .collect();
        f.write_str(if held.is_empty() { "none" } else { "" })?;
        f.write_str(&held.join(","))
    }
}

impl Database {
    /// Everybody, by name.
    pub fn load_agents(&self) -> Result<Vec<AgentRecord>, StoreError> {
        // One transaction: a name and its rights are of one moment.
        let transaction = self.connection.unchecked_transaction()?;
        let mut statement = transaction.prepare_cached(
            "SELECT id, name, display_name, role, password, generation FROM agent ORDER BY name",
        )?;
        let agents = statement.query_map((), read_agent)?;
        let mut agents = agents.collect::<Result<Vec<_>, _>>()?;
        for agent in &mut agents {
            agent.rights = rights_of(&transaction, agent.id)?;
        }
        Ok(agents)
    }

    /// A new agent, with no right anywhere.
    pub fn add_agent(
        &mut self,
        name: &AgentName,
        display_name: &str,
        role: Option<&str>,
        password: &str,
        at: i64,
    ) -> Result<(), StoreError> {
        let added = self.connection.execute(
            "INSERT INTO agent (name, display_name, role, password, generation, created) VALUES (?1, ?2, ?3, ?4, 1, ?5)",
            params![name.as_str(), display_name, role, password, at],
        );
        match added {
            Ok(_) => Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Err(StoreError::AgentExists(name.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Their logins end with them.
    pub fn remove_agent(&mut self, name: &AgentName) -> Result<(), StoreError> {
        self.write(|transaction| {
            let agent = agent_id(transaction, name)?;
            transaction.execute("DELETE FROM agent WHERE id = ?1", [agent])?;
            Ok(())
        })
    }

    /// All logins that were made with the old one end.
    pub fn set_password(&mut self, name: &AgentName, password: &str) -> Result<(), StoreError> {
        self.write(|transaction| {
            let agent = agent_id(transaction, name)?;
            transaction.execute(
                "UPDATE agent SET password = ?2, generation = generation + 1 WHERE id = ?1",
                params![agent, password],
            )?;
            transaction.execute("DELETE FROM login WHERE agent = ?1", [agent])?;
            Ok(())
        })
    }

    /// What `change` makes of the rights in a group; tells what they are now.
    pub fn change_rights(
        &mut self,
        name: &AgentName,
        group: GroupId,
        change: impl FnOnce(Rights) -> Rights,
    ) -> Result<Rights, StoreError> {
        self.write(|transaction| {
            let agent = agent_id(transaction, name)?;
            let held = rights_of(transaction, agent)?;
            let rights = change(held.get(&group).copied().unwrap_or_default());
            let Rights { view, point, end } = rights;
            transaction.execute(
                "DELETE FROM agent_group WHERE agent = ?1 AND group_id = ?2",
                params![agent, group.as_u32()],
            )?;
            if rights.any() {
                transaction.execute(
                    "INSERT INTO agent_group VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![agent, group.as_u32(), view, point, end],
                )?;
            }
            Ok(rights)
        })
    }
}

fn agent_id(transaction: &Transaction<'_>, name: &AgentName) -> Result<i64, StoreError> {
    let id = transaction
        .query_row(
            "SELECT id FROM agent WHERE name = ?1",
            [name.as_str()],
            |row| row.get(0),
        )
        .optional()?;
    id.ok_or_else(|| StoreError::AgentUnknown(name.to_string()))
}

fn rights_of(
    transaction: &Transaction<'_>,
    agent: i64,
) -> rusqlite::Result<BTreeMap<GroupId, Rights>> {
    let mut statement = transaction.prepare_cached(
        "SELECT group_id, may_view, may_point, may_end FROM agent_group WHERE agent = ?1",
    )?;
    let rights = statement.query_map([agent], |row| {
        let rights = Rights {
            view: row.get(1)?,
            point: row.get(2)?,
            end: row.get(3)?,
        };
        Ok((read_group(row, 0)?, rights))
    })?;
    rights.collect()
}

fn read_agent(row: &Row<'_>) -> rusqlite::Result<AgentRecord> {
    let name: String = row.get(1)?;
    Ok(AgentRecord {
        id: row.get(0)?,
        name: name.parse().map_err(|error: AgentNameError| {
            let kind = rusqlite::types::Type::Text;
            rusqlite::Error::FromSqlConversionFailure(1, kind, Box::new(error))
        })?,
        display_name: row.get(2)?,
        role: row.get(3)?,
        password: row.get(4)?,
        generation: row.get(5)?,
        rights: BTreeMap::new(),
    })
}

pub(super) fn read_group(row: &Row<'_>, column: usize) -> rusqlite::Result<GroupId> {
    let number: i64 = row.get(column)?;
    GroupId::new(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, number))
}
