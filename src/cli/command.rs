use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

#[cfg(feature = "backend")]
use super::agent::AgentArgs;
#[cfg(feature = "backend")]
use super::audit::AuditArgs;
use super::check::CheckArgs;
use super::demo_command::DemoArgs;
use super::exit::Exit;
use super::explain::ExplainArgs;
use super::serve::ServeArgs;

/// A streaming reverse proxy that writes the cobrowse tag, group IDs and masks into the pages of a
/// site that nobody can change any more.
#[derive(Debug, Parser)]
#[command(
    name = "cobrowse-edge",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Try it: cobrowse-edge demo"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<ServeArgs>),
    Demo(DemoArgs),
    Check(CheckArgs),
    Explain(ExplainArgs),
    #[cfg(feature = "backend")]
    Agent(AgentArgs),
    #[cfg(feature = "backend")]
    Audit(AuditArgs),
}

impl Cli {
    /// Reads a command line, its first word being the program. What cannot be read is told, and so
    /// is help.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Exit> {
        Self::try_parse_from(arguments).map_err(|error| {
            let _ = error.print();
            exit_of(&error)
        })
    }

    pub fn run(self) -> Exit {
        match self.command {
            Command::Serve(args) => args.run(),
            Command::Demo(args) => args.run(),
            Command::Check(args) => args.run(),
            Command::Explain(args) => args.run(),
            #[cfg(feature = "backend")]
            Command::Agent(args) => args.run(),
            #[cfg(feature = "backend")]
            Command::Audit(args) => args.run(),
        }
    }
}

/// Help that was asked for is no mistake.
fn exit_of(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Success,
        _ => Exit::Usage,
    }
}

#[cfg(test)]
mod tests;
