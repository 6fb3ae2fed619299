use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::running::with_causes;
use super::source::DEFAULT_CONFIG;
use super::terminal::complain;
use crate::backend::store::{Database, StoreError};

/// Where the backend's database is.
#[derive(Args, Clone, Debug)]
pub(super) struct DatabaseFlags {
    /// Database file [default: cobrowse.db beside the settings file]
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Settings file [default: edge.toml, if there is one]
    #[arg(long, value_name = "FILE", conflicts_with = "database")]
    config: Option<PathBuf>,
}

impl DatabaseFlags {
    /// Opens it and does something with it; what goes wrong is told.
    pub(super) fn using(&self, act: impl FnOnce(Database) -> Result<(), StoreError>) -> Exit {
        let path = self.path();
        match Database::open(&path).and_then(act) {
            Ok(()) => Exit::Success,
            Err(error) => {
                complain(format_args!(
                    "error: {}\n  remedy: {}",
                    with_causes(&error),
                    error.remedy()
                ));
                exit_of(&error)
            }
        }
    }

    fn path(&self) -> PathBuf {
        let config = self
            .config
            .as_deref()
            .unwrap_or_else(|| Path::new(DEFAULT_CONFIG));
        let beside = || config.with_file_name(DEFAULT_DATABASE);
        self.database.clone().unwrap_or_else(beside)
    }
}

const DEFAULT_DATABASE: &str = "cobrowse.db";

fn exit_of(error: &StoreError) -> Exit {
    match error {
        StoreError::AgentExists(_) | StoreError::AgentUnknown(_) => Exit::Refused,
        _ => Exit::Unavailable,
    }
}
