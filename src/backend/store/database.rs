use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::StoreError;
use super::schema;

/// The file, open. Several processes may have it open at a time; one of them writes at a time.
#[derive(Debug)]
pub struct Database {
    pub(super) connection: Connection,
    /// Held while this lives; only by an edge.
    _lock: Option<File>,
}

impl Database {
    /// For commands: it may be in use by an edge. Made where there is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, None)
    }

    /// For an edge: there is one at a time, since sessions live in its memory.
    pub fn open_alone(path: &Path) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        Self::open_with(path, Some(lock))
    }

    fn open_with(path: &Path, lock: Option<File>) -> Result<Self, StoreError> {
        create(path).map_err(|source| StoreError::Open {
            path: path.to_owned(),
            source,
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opening = |error| StoreError::opening(path, error);
        let mut connection = Connection::open_with_flags(path, flags).map_err(opening)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        recognise(&connection, path)?;
        configure(&connection).map_err(opening)?;
        schema::migrate(&mut connection).map_err(opening)?;
        check(&connection, path)?;
        let _lock = lock;
        Ok(Self { connection, _lock })
    }

    /// Another number than before: another process has changed something.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        let version = self
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0))?;
        Ok(version)
    }

    /// A transaction that no other process can come between.
    pub(super) fn write<T>(
        &mut self,
        write: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        let written = write(&transaction)?;
        transaction.commit()?;
        Ok(written)
    }
}

/// For this user alone: names of visitors and hashes of passwords are in it. What SQLite puts beside it gets
/// the same mode.
fn create(path: &Path) -> io::Result<()> {
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(path)?;
    Ok(())
}

/// The system forgets it when the process dies, however it does.
fn lock(path: &Path) -> Result<File, StoreError> {
    let beside = beside(path);
    let open = |source| StoreError::Open {
        path: path.to_owned(),
        source,
    };
    create(&beside).map_err(open)?;
    let file = File::open(&beside).map_err(open)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(open(source)),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// Nothing is written to what is not ours.
fn recognise(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let opening = |error| StoreError::opening(path, error);
    let pragma = |name: &str| {
        let number = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        number.map_err(opening)
    };
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
        .map_err(opening)?;
    let (mark, found, known) = (
        pragma("application_id")?,
        pragma("user_version")?,
        schema::version(),
    );
    let is_new = tables == 0 && mark == 0 && found == 0 && !is_stub(path);
    if !is_new && mark != schema::APPLICATION_ID {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    if found > known {
        let path = path.to_owned();
        return Err(StoreError::Newer { path, found, known });
    }
    Ok(())
}

/// SQLite would take the first byte of something for nothing at all.
fn is_stub(path: &Path) -> bool {
    let length = fs::metadata(path).map_or(0, |metadata| metadata.len());
    (1..HEADER_BYTES).contains(&length)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // With WAL a killed process loses nothing; the machine's power failing, at most the last lines.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What was deleted is overwritten.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "temp_store", "memory")
}

fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: Result<String, _> =
        connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0));
    match found {
        Ok(text) if text == "ok" => Ok(()),
        Ok(detail) => Err(StoreError::Damaged {
            path: path.to_owned(),
            detail,
        }),
        Err(error) => Err(StoreError::opening(path, error)),
    }
}

/// Of every SQLite file.
const HEADER_BYTES: u64 = 100;

/// How long another process may write; commands write for milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
