//! What outlives the process, in one SQLite file: agents, their rights and logins, sessions' metadata, and
//! the hash-chained audit log. What a page shows is never in it, nor is a secret that could be used again:
//! passwords and tokens are there as hashes.
//!
//! [`Database`] is the file; commands use it as it is, also while an edge runs on it. [`Store`] is the same
//! behind a thread of its own, for the edge.

mod agents;
mod audit;
mod database;
mod error;
mod logins;
mod retention;
mod schema;
mod sessions;
mod thread;

pub use agents::{AgentName, AgentNameError, AgentRecord, Rights};
pub use audit::{Actor, AuditEntry, AuditLine, Broken, Outcome, Verified};
pub use database::Database;
pub use error::StoreError;
pub use logins::LoginRecord;
pub use retention::AuditRetention;
pub use sessions::{SessionId, SessionIdError, SessionRecord};
pub use thread::Store;

#[cfg(test)]
mod tests;
