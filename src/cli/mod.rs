//! The commands: each reads its flags, says what it does in few words, and ends with a number that
//! scripts can tell apart. What an edge is made of is not known here.

#[cfg(feature = "backend")]
mod agent;
#[cfg(feature = "backend")]
mod audit;
mod check;
mod command;
#[cfg(feature = "backend")]
mod database;
pub mod demo;
mod demo_command;
mod descriptors;
mod exit;
mod explain;
mod fetch;
mod flags;
mod panic_log;
#[cfg(feature = "backend")]
mod password;
mod report;
mod running;
mod serve;
mod source;
mod terminal;

pub use command::Cli;
pub use exit::Exit;
pub use panic_log::log_panics;
