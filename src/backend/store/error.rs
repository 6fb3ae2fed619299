use std::io;
use std::path::{Path, PathBuf};

/// Why the file could not be opened, read or written. No message holds what is in it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An agent of this name exists already.
    #[error("there is an agent {0} already")]
    AgentExists(String),
    /// No agent has this name.
    #[error("there is no agent {0}")]
    AgentUnknown(String),
    /// The disk does not keep up.
    #[error("the database is busy")]
    Busy,
    #[error("{} is damaged: {detail}", path.display())]
    Damaged { path: PathBuf, detail: String },
    /// It is a file, or a database, of something else.
    #[error("{} is no database of cobrowse-edge", .0.display())]
    Foreign(PathBuf),
    #[error("{} is in use by another edge", .0.display())]
    InUse(PathBuf),
    #[error("{} is of a newer cobrowse-edge (version {found}, this one knows {known})", path.display())]
    Newer {
        path: PathBuf,
        found: i64,
        known: i64,
    },
    #[error("{} cannot be opened", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the database cannot be used")]
    Sqlite(#[from] rusqlite::Error),
    /// Its thread has ended.
    #[error("the database is closed")]
    Stopped,
}

impl StoreError {
    /// What SQLite says about a file when it is looked at first.
    pub(super) fn opening(path: &Path, error: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => Self::Foreign(path),
            Some(rusqlite::ErrorCode::DatabaseCorrupt) => Self::Damaged {
                path,
                detail: "SQLite cannot read it".to_owned(),
            },
            Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly) => Self::Open {
                path,
                source: io::Error::other(error),
            },
            _ => Self::Sqlite(error),
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::AgentExists(_) => {
                "choose another name, or change this one with `agent grant` and `agent passwd`"
            }
            Self::AgentUnknown(_) => "`cobrowse-edge agent list` shows who there is",
            Self::Damaged { .. } => {
                "put a copy of it back, or move it away and begin anew; `sqlite3 FILE .recover` may save what is in it"
            }
            Self::Foreign(_) => "name another file: a new one is made where there is none",
            Self::InUse(_) => "end the other edge, or give this one a database of its own",
            Self::Newer { .. } => {
                "use the newer cobrowse-edge, or a copy of the database from before the update"
            }
            Self::Open { .. } => "see that the directory is there and may be written by this user",
            Self::Busy | Self::Sqlite(_) | Self::Stopped => {
                "look at the disk: is it full, or read-only?"
            }
        }
    }
}
