//! The embedded cobrowse backend: what a small site runs in production, and what a newcomer sees first.
//!
//! Sessions live in memory; what has to outlive the process (agents, rights, sessions' names, the audit
//! log) is in one SQLite file. What a page shows is never written anywhere.

pub mod access;
pub mod agents;
mod assets;
pub mod protocol;
mod realm;
pub mod roster;
pub mod session;
pub mod store;
mod visitors;

use agents::ConsoleFiles;
pub use realm::Realm;
pub use visitors::VisitorPlace;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use http::{Request, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::wire::EdgeBody;
use protocol::CloseCode;
use roster::{ResumeToken, Roster};
use session::{SessionFacts, Terms};
use store::{AuditRetention, Store, StoreError};
use visitors::Paces;

/// The backend, running. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Backend(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Store,
    roster: Roster,
    realm: RwLock<Arc<Realm>>,
    paces: Paces,
    sockets: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

/// What the bundler made for agents.
pub const CONSOLE_FILES: ConsoleFiles = ConsoleFiles {
    console: assets::bundles::CONSOLE_HTML,
    replay: assets::bundles::REPLAY_HTML,
    files: assets::bundles::CONSOLE_FILES,
    licenses: assets::bundles::LICENSES,
};

/// More than a site has visitors who want help at once.
const SESSIONS_MAX: usize = 10_000;
const SOCKETS_MAX: usize = 20_000;
/// Sockets of which nobody knows yet whose they are.
const STRANGERS_MAX: usize = 256;

impl Backend {
    /// Opens the database, and takes up the sessions that are in it.
    pub async fn open(
        database: &Path,
        keep: AuditRetention,
        realm: Realm,
    ) -> Result<Self, StoreError> {
        let store = Store::open_keeping(database, keep)?;
        let roster = Roster::load(store.clone(), Terms::default(), SESSIONS_MAX).await?;
        Ok(Self(Arc::new(Parts {
            store,
            roster,
            realm: RwLock::new(Arc::new(realm)),
            paces: Paces::default(),
            sockets: Arc::new(Semaphore::new(SOCKETS_MAX)),
            strangers: Arc::new(Semaphore::new(STRANGERS_MAX)),
        })))
    }

    pub fn roster(&self) -> &Roster {
        &self.0.roster
    }

    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What is in force now.
    pub fn realm(&self) -> Arc<Realm> {
        let realm = self.0.realm.read();
        Arc::clone(&realm.unwrap_or_else(PoisonError::into_inner))
    }

    /// Other rules come into force, for pages that come in from now on.
    pub fn renew(&self, realm: Realm) {
        let mut held = self.0.realm.write().unwrap_or_else(PoisonError::into_inner);
        *held = Arc::new(realm);
    }

    /// Answers what a visitor's browser asks below the mount. The request has its way to switch
    /// protocols (hyper's `OnUpgrade`) among its extensions.
    pub async fn answer(
        &self,
        place: VisitorPlace,
        request: Request<EdgeBody>,
    ) -> Response<EdgeBody> {
        visitors::answer(self, place, request).await
    }

    /// Starts no more sessions, and lets go of the sockets of those that are there.
    pub async fn drain(&self) {
        self.0.roster.drain().await;
    }

    fn paces(&self) -> &Paces {
        &self.0.paces
    }

    /// `None`: there are too many sockets.
    fn socket_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.sockets).try_acquire_owned().ok()
    }

    /// To be held until a socket has said whose it is; `None`: too many have not.
    fn stranger_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.strangers).try_acquire_owned().ok()
    }

    /// What a visitor is told whose session is not there. While the process ends sessions are let go
    /// of, and found again in the next.
    fn not_there(&self) -> CloseCode {
        match self.0.roster.is_draining() {
            true => CloseCode::Restart,
            false => CloseCode::Unknown,
        }
    }

    /// The session of the first token that has one.
    fn session_of(&self, tokens: &[ResumeToken]) -> Option<Arc<SessionFacts>> {
        let mut tokens = tokens.iter();
        tokens.find_map(|token| self.0.roster.find_by_token(token))
    }
}

/// A clock that stands before 1970 says 0.
fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
