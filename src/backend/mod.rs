//! The embedded cobrowse backend: what a small site runs in production, and what a newcomer sees first.
//!
//! Sessions live in memory; what has to outlive the process (agents, rights, sessions' names, the audit
//! log) is in one SQLite file. What a page shows is never written anywhere.

pub mod access;
pub mod agents;
pub mod protocol;
pub mod roster;
pub mod session;
pub mod store;
