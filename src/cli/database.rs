use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::report::report;
use super::source::DEFAULT_CONFIG;
use super::terminal::complain;
use crate::backend::store::{Database, StoreError};
use crate::config::{self, DEFAULT_DATABASE};
use crate::problem::{Problem, with_causes};

/// Where the backend's database is.
#[derive(Args, Clone, Debug)]
pub(super) struct DatabaseFlags {
    /// Database file [default: that of the settings, or cobrowse.db]
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Settings file [default: edge.toml, if there is one]
    #[arg(long, value_name = "FILE", conflicts_with = "database")]
    config: Option<PathBuf>,
}

impl DatabaseFlags {
    /// Opens it and does something with it; what goes wrong is told.
    pub(super) fn using(&self, act: impl FnOnce(Database) -> Result<(), StoreError>) -> Exit {
        let path = match self.path() {
            Ok(path) => path,
            Err(problems) => {
                report(&problems);
                return Exit::Config;
            }
        };
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

    fn path(&self) -> Result<PathBuf, Vec<Problem>> {
        if let Some(path) = &self.database {
            return Ok(path.clone());
        }
        let default = Path::new(DEFAULT_CONFIG);
        let config = self.config.as_deref();
        match config.or_else(|| default.exists().then_some(default)) {
            Some(path) => database_of(path),
            None => Ok(PathBuf::from(DEFAULT_DATABASE)),
        }
    }
}

fn database_of(settings: &Path) -> Result<PathBuf, Vec<Problem>> {
    let draft = config::read(settings);
    let embedded = draft.config.and_then(|config| config.embedded);
    match embedded {
        Some(embedded) => Ok(embedded.database),
        None if draft.problems.is_empty() => Ok(settings.with_file_name(DEFAULT_DATABASE)),
        None => Err(draft.problems),
    }
}

fn exit_of(error: &StoreError) -> Exit {
    match error {
        StoreError::AgentExists(_) | StoreError::AgentUnknown(_) => Exit::Refused,
        _ => Exit::Unavailable,
    }
}
