use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::agents::AgentRecord;
use super::audit::{AuditEntry, Verified};
use super::database::Database;
use super::error::StoreError;
use super::logins::LoginRecord;
use super::retention::{self, AuditRetention};
use super::sessions::{SessionId, SessionRecord};
use crate::backend::unix_now;

/// The database behind a thread of its own: SQLite blocks, and has one writer. Cheap to clone; the thread
/// ends when the last clone is dropped, after what was asked for is done.
#[derive(Clone, Debug)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
}

type Job = Box<dyn FnOnce(&mut Database) + Send>;

/// Who asks while so many others wait is refused at once, and what cannot be kept does not happen: a disk that
/// has stopped must neither fill the memory nor hold up sessions. As many as there are sessions may all want
/// something after a restart.
const WAITING_MAX: usize = 4096;
/// Places that are for agents, and for what is read of them: no visitors' sessions may take these.
const FOR_AGENTS: usize = 256;
/// Between two looks at whether old lines of the audit log may go.
const PRUNE_INTERVAL: Duration = Duration::from_mins(1);

impl Store {
    /// Opens or makes the file; no other edge may have it open.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_keeping(path, AuditRetention::default())
    }

    /// The same, with a say in how much of the audit log is kept.
    pub fn open_keeping(path: &Path, keep: AuditRetention) -> Result<Self, StoreError> {
        Self::start(Database::open_alone(path)?, keep).map_err(|source| StoreError::Open {
            path: path.to_owned(),
            source,
        })
    }

    fn start(mut database: Database, keep: AuditRetention) -> std::io::Result<Self> {
        let (jobs, mut asked) = mpsc::channel::<Job>(WAITING_MAX);
        thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                let mut pruned = None;
                while let Some(job) = asked.blocking_recv() {
                    job(&mut database);
                    prune_now_and_then(&mut database, keep, &mut pruned);
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

    /// One more line, of what an agent does.
    pub async fn audit_agent(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.ask_for_agents(move |database| database.audit(&entry))
            .await
    }

    /// One more line, for which nobody waits. `Err`: too many others are waiting, and it will not be written.
    /// When the disk fails later, `unwritten` is called: on the thread of the database, so it must not wait.
    pub fn note(
        &self,
        entry: AuditEntry,
        unwritten: impl FnOnce() + Send + 'static,
    ) -> Result<(), StoreError> {
        self.leave(
            move |database| database.audit(&entry),
            move |error| {
                tracing::error!(%error, "the audit log cannot be written");
                unwritten();
            },
        )
    }

    /// As [`save_session`](Self::save_session), but nobody waits for it. `Err`: nothing will be saved.
    pub fn leave_session(&self, record: SessionRecord) -> Result<(), StoreError> {
        let what = "a session cannot be kept; after a restart it is as it was before";
        self.leave(
            move |database| database.save_session(&record),
            move |error| tracing::error!(%error, "{what}"),
        )
    }

    pub async fn verify_audit(&self) -> Result<Verified, StoreError> {
        self.ask(|database| database.verify_audit()).await
    }

    /// Everybody, by name.
    pub async fn load_agents(&self) -> Result<Vec<AgentRecord>, StoreError> {
        self.ask_for_agents(|database| database.load_agents()).await
    }

    pub async fn save_login(&self, record: LoginRecord) -> Result<(), StoreError> {
        self.ask_for_agents(move |database| database.save_login(&record))
            .await
    }

    pub async fn load_logins(&self) -> Result<Vec<LoginRecord>, StoreError> {
        self.ask(|database| database.load_logins()).await
    }

    pub async fn end_logins(&self, token_hashes: Vec<[u8; 32]>) -> Result<(), StoreError> {
        self.ask_for_agents(move |database| database.end_logins(&token_hashes))
            .await
    }

    /// See [`Database::data_version`].
    pub async fn data_version(&self) -> Result<i64, StoreError> {
        self.ask_for_agents(|database| database.data_version())
            .await
    }

    #[cfg(test)]
    pub(in crate::backend) async fn meddle(&self, sql: &'static str) -> Result<(), StoreError> {
        self.ask(move |database| Ok(database.connection.execute_batch(sql)?))
            .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.look_for_place()?;
        self.ask_for_agents(job).await
    }

    async fn ask_for_agents<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |database| {
            // Nobody may be waiting any more; done it is all the same.
            let _ = answer.send(job(database));
        });
        self.queue(job)?;
        answered.await.map_err(|_| StoreError::Stopped)?
    }

    fn leave(
        &self,
        job: impl FnOnce(&mut Database) -> Result<(), StoreError> + Send + 'static,
        failed: impl FnOnce(StoreError) + Send + 'static,
    ) -> Result<(), StoreError> {
        let job: Job = Box::new(move |database| {
            if let Err(error) = job(database) {
                failed(error);
            }
        });
        self.look_for_place()?;
        self.queue(job)
    }

    /// Whether there is one beside those for agents.
    fn look_for_place(&self) -> Result<(), StoreError> {
        match self.jobs.capacity() > FOR_AGENTS {
            true => Ok(()),
            false if self.jobs.is_closed() => Err(StoreError::Stopped),
            false => Err(StoreError::Busy),
        }
    }

    /// Nobody waits for a place.
    fn queue(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Closed(_) => StoreError::Stopped,
        })
    }
}

fn prune_now_and_then(database: &mut Database, keep: AuditRetention, last: &mut Option<Instant>) {
    if last.is_some_and(|last| last.elapsed() < PRUNE_INTERVAL) {
        return;
    }
    *last = Some(Instant::now());
    match database.prune_audit(keep, unix_now()) {
        // There may be more: again after the next job, or lines would come faster than they go.
        Ok(retention::LINES_MAX) => *last = None,
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "the audit log cannot be pruned"),
    }
}
