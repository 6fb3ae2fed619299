use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::agents::Agents;
use crate::backend::store::LoginRecord;

/// An agent who is logged in, in one browser.
#[derive(Debug)]
pub struct Login {
    token_hash: [u8; 32],
    pub(super) agent: i64,
    pub(super) generation: i64,
    created: i64,
    seen: AtomicI64,
    saved: AtomicI64,
    gone: watch::Sender<bool>,
    desks: Arc<Semaphore>,
    sessions: Arc<Semaphore>,
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketKind {
    Desk,
    Session,
}

/// A socket's place among those of its login; free again when it is dropped.
#[derive(Debug)]
pub struct LoginSocket {
    pub login: Arc<Login>,
    _place: OwnedSemaphorePermit,
}

/// Those that are good, by the hash of their token.
#[derive(Debug, Default)]
pub(super) struct Logins(Mutex<HashMap<[u8; 32], Arc<Login>>>);

impl Login {
    pub(super) fn new(record: &LoginRecord) -> Self {
        Self {
            token_hash: record.token_hash,
            agent: record.agent,
            generation: record.generation,
            created: record.created,
            seen: AtomicI64::new(record.seen),
            saved: AtomicI64::new(record.seen),
            gone: watch::Sender::new(false),
            desks: Arc::new(Semaphore::new(DESKS_MAX)),
            sessions: Arc::new(Semaphore::new(SESSIONS_MAX)),
        }
    }

    /// A sign of life.
    pub fn touch(&self, now: i64) {
        self.seen.fetch_max(now, Ordering::Relaxed);
    }

    /// Resolves when the login is good no more.
    ///
    /// Cancel safety: safe.
    pub async fn gone(&self) {
        let mut gone = self.gone.subscribe();
        // The sender lives as long as this.
        let _ = gone.wait_for(|gone| *gone).await;
    }

    pub fn is_gone(&self) -> bool {
        *self.gone.borrow()
    }

    /// `None`: it has too many.
    pub fn open_socket(self: Arc<Self>, kind: SocketKind) -> Option<LoginSocket> {
        let places = match kind {
            SocketKind::Desk => &self.desks,
            SocketKind::Session => &self.sessions,
        };
        let _place = Arc::clone(places).try_acquire_owned().ok()?;
        Some(LoginSocket {
            login: self,
            _place,
        })
    }

    /// Clocks that were set back end a login, too.
    fn is_alive(&self, now: i64) -> bool {
        let within = |since: i64, most: i64| (-CLOCK_SLACK..most).contains(&(now - since));
        within(self.created, AGE_SECONDS_MAX)
            && within(self.seen.load(Ordering::Relaxed), IDLE_SECONDS_MAX)
    }

    fn record(&self) -> LoginRecord {
        LoginRecord {
            token_hash: self.token_hash,
            agent: self.agent,
            generation: self.generation,
            created: self.created,
            seen: self.seen.load(Ordering::Relaxed),
        }
    }

    /// What is worth writing down: a restart must not end a login that was in use.
    fn unsaved(&self) -> Option<LoginRecord> {
        let record = self.record();
        let saved = self.saved.load(Ordering::Relaxed);
        let is_due = record.seen - saved >= SAVED_SECONDS;
        if is_due {
            self.saved.store(record.seen, Ordering::Relaxed);
        }
        is_due.then_some(record)
    }
}

impl Logins {
    pub(super) fn load(&self, records: &[LoginRecord]) {
        let mut table = self.table();
        for record in records.iter().rev().take(LOGINS_MAX) {
            table.insert(record.token_hash, Arc::new(Login::new(record)));
        }
    }

    pub(super) fn find(
        &self,
        token_hash: [u8; 32],
        agents: &Agents,
        now: i64,
    ) -> Option<Arc<Login>> {
        let login = self.table().get(&token_hash).cloned()?;
        let known = agents.of_login(login.agent, login.generation).is_some();
        (known && login.is_alive(now) && !login.is_gone()).then_some(login)
    }

    /// A new one; tells which others had to go for it.
    pub(super) fn add(&self, record: &LoginRecord) -> Vec<[u8; 32]> {
        let mut table = self.table();
        let mut others: Vec<_> = table
            .values()
            .filter(|login| login.agent == record.agent)
            .map(|login| (login.seen.load(Ordering::Relaxed), login.token_hash))
            .collect();
        others.sort_unstable();
        let surplus = (others.len() + 1).saturating_sub(PER_AGENT_MAX);
        let mut ended: Vec<_> = others
            .into_iter()
            .take(surplus)
            .map(|(_, hash)| hash)
            .collect();
        if table.len() >= LOGINS_MAX {
            let oldest = table
                .values()
                .min_by_key(|login| login.seen.load(Ordering::Relaxed));
            ended.extend(oldest.map(|login| login.token_hash));
        }
        for hash in &ended {
            end(&mut table, hash);
        }
        table.insert(record.token_hash, Arc::new(Login::new(record)));
        ended
    }

    pub(super) fn end(&self, token_hash: &[u8; 32]) {
        end(&mut self.table(), token_hash);
    }

    /// Ends those that are good no more; tells which, and what is to be written down of the others.
    pub(super) fn sweep(&self, agents: &Agents, now: i64) -> (Vec<[u8; 32]>, Vec<LoginRecord>) {
        let mut table = self.table();
        let is_dead = |login: &&Arc<Login>| {
            !login.is_alive(now) || agents.of_login(login.agent, login.generation).is_none()
        };
        let dead: Vec<_> = table
            .values()
            .filter(is_dead)
            .map(|login| login.token_hash)
            .collect();
        for hash in &dead {
            end(&mut table, hash);
        }
        let unsaved = table.values().filter_map(|login| login.unsaved());
        (dead, unsaved.collect())
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Arc<Login>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end(table: &mut HashMap<[u8; 32], Arc<Login>>, token_hash: &[u8; 32]) {
    if let Some(login) = table.remove(token_hash) {
        login.gone.send_replace(true);
    }
}

/// Half an hour without a sign of life.
const IDLE_SECONDS_MAX: i64 = 30 * 60;
/// A shift and a half.
const AGE_SECONDS_MAX: i64 = 12 * 60 * 60;
/// What a clock may be set back without anybody having to log in again.
const CLOCK_SLACK: i64 = 5 * 60;
/// How old the last sign of life on disk may be.
const SAVED_SECONDS: i64 = 60;
/// Logins of one agent; the one used longest ago goes for a new one.
const PER_AGENT_MAX: usize = 10;
const LOGINS_MAX: usize = 10_000;
/// Tabs with the list of sessions.
const DESKS_MAX: usize = 4;
/// Sessions that an agent may be in at a time, tabs counted.
const SESSIONS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn record(token: u8, seen: i64) -> LoginRecord {
        LoginRecord {
            token_hash: [token; 32],
            agent: 1,
            generation: 1,
            created: 1_000_000,
            seen,
        }
    }

    #[test]
    fn a_login_lives_as_long_as_it_is_used_and_no_longer_than_a_day() {
        let login = Login::new(&record(1, 1_000_000));
        for (after, alive) in [
            (0, true),
            (IDLE_SECONDS_MAX - 1, true),
            (IDLE_SECONDS_MAX, false),
            (-CLOCK_SLACK, true),
            (-CLOCK_SLACK - 1, false),
        ] {
            assert_eq!(login.is_alive(1_000_000 + after), alive, "{after}");
        }
        login.touch(1_000_000 + AGE_SECONDS_MAX);
        assert!(login.is_alive(1_000_000 + AGE_SECONDS_MAX - 1));
        assert!(!login.is_alive(1_000_000 + AGE_SECONDS_MAX));
    }

    #[test]
    fn a_sign_of_life_never_moves_back() {
        let login = Login::new(&record(1, 1_000_000));
        login.touch(1);
        assert!(login.is_alive(1_000_000));
    }

    #[test]
    fn one_agent_has_so_many_logins_and_the_oldest_goes() {
        let logins = Logins::default();
        for token in 0..10 {
            let seen = 1_000_000 + i64::from(token);
            assert_eq!(logins.add(&record(token, seen)), Vec::<[u8; 32]>::new());
        }
        assert_eq!(logins.add(&record(99, 2_000_000)), [[0; 32]]);
        assert_eq!(logins.table().len(), 10);
    }

    #[test]
    fn sockets_of_a_login_are_counted_and_given_back() {
        for (kind, most) in [
            (SocketKind::Desk, DESKS_MAX),
            (SocketKind::Session, SESSIONS_MAX),
        ] {
            let login = Arc::new(Login::new(&record(1, 1)));
            let mut held: Vec<_> = (0..most)
                .filter_map(|_| Arc::clone(&login).open_socket(kind))
                .collect();
            assert_eq!(held.len(), most);
            assert!(Arc::clone(&login).open_socket(kind).is_none());
            held.pop();
            assert!(login.open_socket(kind).is_some());
        }
    }
}
