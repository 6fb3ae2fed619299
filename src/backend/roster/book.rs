use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

use super::feed::Feed;
use super::runner::{self, Letter, Outbox, Runner};
use super::secret::{ResumeToken, TokenHash, random_digits};
use super::{Attached, Joined, Orders, Presence};
use crate::backend::protocol::FinishReason;
use crate::backend::session::{
    Guest, Happening, Identity, Moment, OpenedPage, Session, SessionFacts, Terms, VisitorData,
};
use crate::backend::store::{SessionId, SessionRecord, Store, StoreError};
use crate::backend::unix_now;
use crate::groups::{GroupId, KeySettings};

/// The sessions that are going on. Clones are the same roster.
#[derive(Clone, Debug)]
pub struct Roster(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Store,
    terms: Terms,
    sessions_max: usize,
    began: Instant,
    book: RwLock<Book>,
    changes: watch::Sender<u64>,
    numbers: AtomicU64,
    draining: AtomicBool,
}

#[derive(Debug, Default)]
struct Book {
    by_id: HashMap<SessionId, Entry>,
    by_token: HashMap<TokenHash, SessionId>,
}

#[derive(Debug)]
struct Entry {
    facts: Arc<SessionFacts>,
    token: TokenHash,
    inbox: mpsc::Sender<Letter>,
}

/// What a visitor wants to start.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub group: GroupId,
    /// `None`: random digits.
    pub key: Option<String>,
    pub keys: KeySettings,
    pub visitor: VisitorData,
    /// Of the cookie that holds the token, where that is for more than the host.
    pub domain: Option<String>,
}

/// Why a session does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartRefusal {
    /// Another session of the group has the key.
    #[error("the session key is in use")]
    DupKey,
    #[error("the service is about to restart")]
    Draining,
    #[error("there are too many sessions")]
    Full,
    #[error("there are no random numbers")]
    NoRandomness,
    #[error("the session cannot be kept")]
    Store(#[source] StoreError),
}

/// Keys that are tried before all of them are thought to be taken.
const KEYS_TRIED_MAX: usize = 64;
/// What waits to be looked at by a session; who has more to say waits.
const LETTERS_MAX: usize = 16;
/// How long a drain waits until all sessions have been told.
const DRAIN_PATIENCE: Duration = Duration::from_secs(2);

impl Roster {
    /// Takes up the sessions that a process before this one ran.
    pub async fn load(store: Store, terms: Terms, sessions_max: usize) -> Result<Self, StoreError> {
        let records = store.load_sessions().await?;
        let shared = Arc::new(Shared {
            store,
            terms,
            sessions_max,
            began: Instant::now(),
            book: RwLock::default(),
            changes: watch::Sender::new(0),
            numbers: AtomicU64::new(1),
            draining: AtomicBool::new(false),
        });
        let roster = Self(shared);
        for record in records {
            roster.resume(record);
        }
        Ok(roster)
    }

    /// All sessions that have not ended, the newest first.
    pub fn views(&self) -> Vec<Arc<SessionFacts>> {
        let book = self.0.read();
        let mut views: Vec<_> = book.by_id.values().map(Entry::facts).collect();
        views.sort_by_key(|facts| (std::cmp::Reverse(facts.started), facts.id));
        views
    }

    /// Changes whenever a view does.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    pub fn find(&self, id: SessionId) -> Option<Arc<SessionFacts>> {
        self.0.read().by_id.get(&id).map(Entry::facts)
    }

    /// In whatever group.
    pub fn find_by_key(&self, key: &str) -> Vec<Arc<SessionFacts>> {
        let mut views = self.views();
        views.retain(|facts| facts.key == key);
        views
    }

    /// The session that a visitor may go on with.
    pub fn find_by_token(&self, token: &ResumeToken) -> Option<Arc<SessionFacts>> {
        let book = self.0.read();
        let id = book.by_token.get(&token.hash())?;
        book.by_id.get(id).map(Entry::facts)
    }

    /// Starts a session; its visitor goes on with the token.
    pub async fn start(
        &self,
        new: NewSession,
    ) -> Result<(Arc<SessionFacts>, ResumeToken), StartRefusal> {
        let token = ResumeToken::generate().map_err(|_| StartRefusal::NoRandomness)?;
        let token = match &new.domain {
            Some(domain) => token.within(domain),
            None => token,
        };
        let (runner, record) = self.enter(new, token.hash())?;
        let facts = runner.facts();
        // On disk before anybody is told: a session that is lost in a restart is none.
        if let Err(error) = self.0.store.save_session(record).await {
            self.0.remove(facts.id);
            return Err(StartRefusal::Store(error));
        }
        tokio::spawn(runner.run());
        Ok((facts, token))
    }

    /// An agent comes in. `None`: there is no such session any more.
    pub async fn join(&self, id: SessionId, guest: Guest) -> Option<Joined> {
        let inbox = self.0.inbox(id)?;
        let seat = self.0.number();
        let presence = Arc::new(Presence {
            seat,
            inbox: inbox.clone(),
        });
        let (feed, writer) = Feed::new(Arc::clone(&presence));
        let letter = Letter::Joined {
            seat,
            guest,
            writer,
        };
        inbox.send(letter).await.ok()?;
        let orders = Orders(presence);
        Some(Joined { feed, orders })
    }

    /// A visitor's page comes in. `None`: there is no such session any more.
    pub async fn attach(&self, id: SessionId, page: OpenedPage) -> Option<Attached> {
        let inbox = self.0.inbox(id)?;
        let socket = self.0.number();
        let (sender, outbox) = Outbox::new();
        let letter = Letter::Opened {
            socket,
            page,
            sender,
        };
        inbox.send(letter).await.ok()?;
        Some(Attached {
            socket,
            inbox,
            outbox,
        })
    }

    /// The visitor ends its session.
    pub async fn finish(&self, id: SessionId, reason: FinishReason) {
        if let Some(inbox) = self.0.inbox(id) {
            let letter = Letter::Happened(Happening::Finished(reason));
            // Over already: then it is as it should be.
            let _ = inbox.send(letter).await;
        }
    }

    /// Whether sessions are let go of.
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    /// Lets go of all sockets, so that they are found again after a restart. No session ends.
    pub async fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
        let inboxes: Vec<_> = {
            let book = self.0.read();
            book.by_id
                .values()
                .map(|entry| entry.inbox.clone())
                .collect()
        };
        let telling = async {
            for inbox in inboxes {
                let _ = inbox.send(Letter::Drain).await;
            }
        };
        // Whom this does not reach is cut when the process ends.
        let _ = timeout(DRAIN_PATIENCE, telling).await;
    }

    fn resume(&self, record: SessionRecord) {
        let identity = Identity {
            id: record.id,
            group: record.group,
            key: record.key,
            // What a visitor is called is not worth losing its session.
            visitor: serde_json::from_str(&record.details).unwrap_or_default(),
            started: record.started,
        };
        let now = self.0.now();
        let session = Session::resume(identity, self.0.terms, record.paused, now);
        let runner = self
            .0
            .enter(&self.0, session, record.token_hash, &mut self.0.write());
        tokio::spawn(runner.run());
    }

    /// Under one lock, so that a key is given once.
    fn enter(
        &self,
        new: NewSession,
        token: TokenHash,
    ) -> Result<(Runner, SessionRecord), StartRefusal> {
        let mut book = self.0.write();
        // Under the lock: who drains looks at the book once.
        if self.is_draining() {
            return Err(StartRefusal::Draining);
        }
        if book.by_id.len() >= self.0.sessions_max {
            return Err(StartRefusal::Full);
        }
        let identity = Identity {
            id: book.free_id()?,
            group: new.group,
            key: book.choose_key(&new)?,
            visitor: new.visitor,
            started: unix_now(),
        };
        let session = Session::start(identity, self.0.terms, self.0.now());
        let record = runner::record(&session, token);
        let runner = self.0.enter(&self.0, session, token, &mut book);
        Ok((runner, record))
    }
}

impl Book {
    fn free_id(&self) -> Result<SessionId, StartRefusal> {
        let id = SessionId::random().ok_or(StartRefusal::NoRandomness)?;
        match self.by_id.contains_key(&id) {
            true => Err(StartRefusal::NoRandomness),
            false => Ok(id),
        }
    }

    fn choose_key(&self, new: &NewSession) -> Result<String, StartRefusal> {
        if let Some(key) = &new.key {
            let free = new.keys.allow_duplicates || !self.has_key(new.group, key);
            return free.then(|| key.clone()).ok_or(StartRefusal::DupKey);
        }
        for _ in 0..KEYS_TRIED_MAX {
            let key = random_digits(new.keys.digits).map_err(|_| StartRefusal::NoRandomness)?;
            // Even where two may have one: an agent who joins by key should find one session.
            if !self.has_key(new.group, &key) {
                return Ok(key);
            }
        }
        Err(StartRefusal::Full)
    }

    fn has_key(&self, group: GroupId, key: &str) -> bool {
        let mut sessions = self.by_id.values();
        sessions.any(|entry| entry.facts.group == group && entry.facts.key == key)
    }
}

impl Entry {
    fn facts(&self) -> Arc<SessionFacts> {
        Arc::clone(&self.facts)
    }
}

impl Shared {
    pub(super) fn now(&self) -> Moment {
        self.began.elapsed()
    }

    /// When that is, for a timer.
    pub(super) fn instant(&self, moment: Moment) -> Instant {
        self.began + moment
    }

    pub(super) fn publish(&self, facts: Arc<SessionFacts>) {
        if let Some(entry) = self.write().by_id.get_mut(&facts.id) {
            entry.facts = facts;
        }
        self.changes.send_modify(|version| *version += 1);
    }

    pub(super) fn remove(&self, id: SessionId) {
        let mut book = self.write();
        if let Some(entry) = book.by_id.remove(&id) {
            book.by_token.remove(&entry.token);
        }
        drop(book);
        self.changes.send_modify(|version| *version += 1);
    }

    fn enter(
        &self,
        this: &Arc<Self>,
        session: Session,
        token: TokenHash,
        book: &mut Book,
    ) -> Runner {
        let (sender, inbox) = mpsc::channel(LETTERS_MAX);
        let runner = Runner::new(session, token, Arc::clone(this), inbox);
        let facts = runner.facts();
        book.by_token.insert(token, facts.id);
        book.by_id.insert(
            facts.id,
            Entry {
                facts,
                token,
                inbox: sender,
            },
        );
        self.changes.send_modify(|version| *version += 1);
        runner
    }

    fn inbox(&self, id: SessionId) -> Option<mpsc::Sender<Letter>> {
        self.read().by_id.get(&id).map(|entry| entry.inbox.clone())
    }

    /// Of a socket or a seat: never given twice.
    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// A panic elsewhere cannot leave the maps half changed.
    fn read(&self) -> std::sync::RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Book> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }
}
