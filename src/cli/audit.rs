use clap::{Args, Subcommand};

use super::database::DatabaseFlags;
use super::exit::Exit;
use super::terminal::{complain, say};
use crate::backend::store::{AuditLine, Database, StoreError, Verified};

/// Look at the audit log of the embedded backend
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
`verify` tells the last line's hash: kept elsewhere, it shows later that nothing before it was changed.

Examples:
  cobrowse-edge audit show --last 50
  cobrowse-edge audit verify --database state/cobrowse.db")]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum AuditCommand {
    /// See whether every line is as it was written, and none is gone
    Verify {
        #[command(flatten)]
        database: DatabaseFlags,
    },
    /// Show the newest lines: seconds since 1970, who, what, outcome, group, session, reason
    Show {
        /// How many
        #[arg(long, value_name = "COUNT", default_value_t = 100)]
        last: u32,
        #[command(flatten)]
        database: DatabaseFlags,
    },
}

impl AuditArgs {
    pub(super) fn run(self) -> Exit {
        match self.command {
            AuditCommand::Verify { database } => verify(&database),
            AuditCommand::Show { last, database } => {
                database.using(|database| show(&database, last))
            }
        }
    }
}

fn verify(flags: &DatabaseFlags) -> Exit {
    let mut is_whole = false;
    let exit = flags.using(|database| {
        match database.verify_audit()? {
            Verified::Whole {
                lines,
                pruned,
                head,
            } => {
                is_whole = true;
                say(format_args!("{lines} lines, whole; the last one is {head}"));
                if pruned > 0 {
                    say(format_args!(
                        "{pruned} before them were pruned, as the log itself says"
                    ));
                }
            }
            Verified::Broken(broken) => complain(format_args!("error: {broken}")),
        }
        Ok(())
    });
    match (exit, is_whole) {
        (Exit::Success, false) => Exit::Refused,
        (exit, _) => exit,
    }
}

fn show(database: &Database, last: u32) -> Result<(), StoreError> {
    for line in database.audit_lines(last)? {
        let AuditLine {
            seq,
            at,
            actor,
            action,
            outcome,
            reason,
            ..
        } = &line;
        let group = line
            .group
            .map_or_else(|| "-".to_owned(), |group| group.to_string());
        let session = line.session.as_deref().unwrap_or("-");
        say(format_args!(
            "{seq}\t{at}\t{actor}\t{action}\t{outcome}\t{group}\t{session}\t{reason}"
        ));
    }
    Ok(())
}
