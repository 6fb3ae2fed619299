mod agents;
mod audit;
mod file;
mod retention;
mod sessions;

use std::path::PathBuf;

use super::{AgentName, Database, SessionId, SessionRecord};
use crate::groups::GroupId;
use crate::test_directory::TestDirectory;

/// A database in a directory that goes with it.
struct Scratch {
    directory: TestDirectory,
}

impl Scratch {
    fn new() -> Self {
        let directory = TestDirectory::new();
        Self { directory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("cobrowse.db")
    }

    fn open(&self) -> Database {
        Database::open(&self.path()).unwrap()
    }
}

fn group(number: i64) -> GroupId {
    GroupId::new(number).unwrap()
}

fn name(text: &str) -> AgentName {
    text.parse().unwrap()
}

fn session(id: u64, key: &str) -> SessionRecord {
    SessionRecord {
        id: SessionId::new(id),
        group: group(15687),
        key: key.to_owned(),
        token_hash: [7; 32],
        state: "waiting".to_owned(),
        paused: false,
        started: 1_795_376_400 + i64::try_from(id).unwrap(),
        details: r#"{"name":"Grace-canary"}"#.to_owned(),
    }
}
