//! The agents' side: their console on an origin of its own, the list of sessions, and the place in one.
//!
//! A console is not trusted. Each of its messages is checked against the agent's rights of the moment, and who
//! may not see a session is told the same as if there were none.

mod account;
mod answers;
mod api;
mod desk;
mod door;
mod files;
mod join;
mod line;
mod listener;
mod protocol;
mod seat;

pub use door::Origin;
pub use files::ConsoleFiles;
pub use listener::{Console, Surroundings};

#[cfg(test)]
mod tests;
