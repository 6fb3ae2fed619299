//! The commands: each reads its flags, says what it does in few words, and ends with a number that
//! scripts can tell apart. What an edge is made of is not known here.

mod check;
mod command;
pub mod demo;
mod demo_command;
mod exit;
mod explain;
mod fetch;
mod flags;
mod panic_log;
mod report;
mod running;
mod serve;
mod source;
mod terminal;

pub use command::Cli;
pub use exit::Exit;
pub use panic_log::log_panics;
