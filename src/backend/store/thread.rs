use std::path::Path;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::agents::AgentRecord;
use super::audit::{AuditEntry, Verified};
use super::database::Database;
use super::error::StoreError;
use super::logins::LoginRecord;
use super::sessions::{SessionId, SessionRecord};

/// The database behind a thread of its own: SQLite blocks, and has one writer. Cheap to clone; the thread
/// ends when the last clone is dropped, after what was asked for is done.
#[derive(Clone, Debug)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
}

type Job = Box<dyn FnOnce(&mut Database) + Send>;

/// Who asks waits while so many others do: a disk that has stopped must not fill the memory.
const WAITING_MAX: usize = 256;

impl Store {
    /// Opens or makes the file; no other edge may have it open.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::start(Database::open_alone(path)?).map_err(|source| StoreError::Open {
            path: path.to_owned(),
            source,
        })
    }

    fn start(mut database: Database) -> std::io::Result<Self> {
        let (jobs, mut asked) = mpsc::channel::<Job>(WAITING_MAX);
        thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                while let Some(job) = asked.blocking_recv() {
                    job(&mut database);
                }
            })?;
        Ok(Self { jobs })
    }

    /// Inserts or replaces.
    pub async fn save_session(&self, record: SessionRecord) -> Result<(), StoreError> {
        self.ask(move |database| database.save_session(&record))
            .await
    }

    /// Those that have not ended, oldest first.
    pub async fn load_sessions(&self) -> Result<Vec<SessionRecord>, StoreError> {
        self.ask(|database| database.load_sessions()).await
    }

    /// What was known of its visitor, and the hash of its token, are forgotten.
    pub async fn end_session(
        &self,
        id: SessionId,
        ended: i64,
        reason: &'static str,
    ) -> Result<(), StoreError> {
        self.ask(move |database| database.end_session(id, ended, reason))
            .await
    }

    /// One more line.
    pub async fn audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.ask(move |database| database.audit(&entry)).await
    }

    pub async fn verify_audit(&self) -> Result<Verified, StoreError> {
        self.ask(|database| database.verify_audit()).await
    }

    /// Everybody, by name.
    pub async fn load_agents(&self) -> Result<Vec<AgentRecord>, StoreError> {
        self.ask(|database| database.load_agents()).await
    }

    pub async fn save_login(&self, record: LoginRecord) -> Result<(), StoreError> {
        self.ask(move |database| database.save_login(&record)).await
    }

    pub async fn load_logins(&self) -> Result<Vec<LoginRecord>, StoreError> {
        self.ask(|database| database.load_logins()).await
    }

    pub async fn end_logins(&self, token_hashes: Vec<[u8; 32]>) -> Result<(), StoreError> {
        self.ask(move |database| database.end_logins(&token_hashes))
            .await
    }

    /// See [`Database::data_version`].
    pub async fn data_version(&self) -> Result<i64, StoreError> {
        self.ask(|database| database.data_version()).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |database| {
            // Nobody may be waiting any more; done it is all the same.
            let _ = answer.send(job(database));
        });
        self.jobs.send(job).await.map_err(|_| StoreError::Stopped)?;
        answered.await.map_err(|_| StoreError::Stopped)?
    }
}
