use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::config::Config;
use super::multiplexed::Multiplexed;
use super::request_body::RequestBody;
use super::resolver::Addresses;
use super::stream::Probe;

/// Connections to one origin that wait for their next request.
#[derive(Debug)]
pub(super) struct Pool {
    idle_timeout: Duration,
    idle_max: usize,
    state: Mutex<State>,
    /// Somebody waits for a connection, because no more may be opened.
    returned: Notify,
}

/// How an exchange gets a connection where there may be only so many.
#[derive(Debug)]
pub(super) enum Opportunity {
    Pooled(Connection),
    Shared(Multiplexed),
    Open(Option<OwnedSemaphorePermit>),
}

/// One connection, between the task that drives it and the exchange that uses it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) sender: SendRequest<RequestBody>,
    pub(super) probe: Probe,
    pub(super) driver: JoinHandle<()>,
    /// Where it leads, if the origin is on the network.
    pub(super) address: Option<SocketAddr>,
}

#[derive(Debug, Default)]
struct State {
    /// The one that was used last is at the back, and is taken first: under falling load the rest
    /// grow old and are closed.
    idle: VecDeque<Idle>,
    /// Whether a task is waiting to close what grows too old.
    is_watched: bool,
    /// Those that the origin's name has; connections to others are not kept. None: any.
    addresses: Option<Addresses>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    expires: Instant,
}

impl Pool {
    pub(super) fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self {
            idle_timeout: config.pool_idle_timeout,
            idle_max: config.pool_idle_max,
            state: Mutex::default(),
            returned: Notify::new(),
        })
    }

    /// A connection that can carry a request now, as far as can be known.
    pub(super) fn take(&self) -> Option<Connection> {
        let now = Instant::now();
        let mut state = self.lock();
        while let Some(idle) = state.idle.pop_back() {
            if idle.expires > now && idle.connection.is_usable() {
                return Some(idle.connection);
            }
        }
        None
    }

    /// Waits for a connection that was given back, or for leave to open one.
    pub(super) async fn take_or_open(&self, permits: &Arc<Semaphore>) -> Opportunity {
        loop {
            let returned = self.returned.notified();
            tokio::pin!(returned);
            returned.as_mut().enable();
            if let Some(connection) = self.take() {
                return Opportunity::Pooled(connection);
            }
            tokio::select! {
                permit = Arc::clone(permits).acquire_owned() => {
                    return Opportunity::Open(permit.ok());
                }
                () = returned => {}
            }
        }
    }

    /// Takes a connection back as soon as it has ended its exchange on both sides, which most have
    /// already; one that was closed instead is dropped.
    pub(super) fn take_back(pool: Weak<Self>, mut connection: Connection) {
        connection.probe.acknowledge();
        if connection.sender.is_ready() {
            return Self::keep_in(&pool, connection);
        }
        tokio::spawn(async move {
            if connection.sender.ready().await.is_ok() {
                Self::keep_in(&pool, connection);
            }
        });
    }

    fn keep_in(pool: &Weak<Self>, connection: Connection) {
        if let Some(pool) = pool.upgrade() {
            pool.keep(connection);
        }
    }

    fn keep(self: &Arc<Self>, connection: Connection) {
        let expires = Instant::now() + self.idle_timeout;
        let idle = Idle {
            connection,
            expires,
        };
        let mut state = self.lock();
        if state.is_of_the_past(&idle.connection) {
            return;
        }
        state.idle.push_back(idle);
        while state.idle.len() > self.idle_max {
            state.idle.pop_front();
        }
        self.returned.notify_one();
        if !state.is_watched && !state.idle.is_empty() {
            state.is_watched = true;
            tokio::spawn(close_expired(Arc::downgrade(self)));
        }
    }

    /// How many connections wait for their next request.
    pub(super) fn kept(&self) -> usize {
        self.lock().idle.len()
    }

    /// Closes connections to other addresses than these, now or when they would be kept.
    pub(super) fn keep_only(&self, addresses: Addresses) {
        let mut state = self.lock();
        state.addresses = Some(addresses);
        let mut idle = std::mem::take(&mut state.idle);
        idle.retain(|idle| !state.is_of_the_past(&idle.connection));
        state.idle = idle;
    }

    /// Closes what is too old; `None` when nothing is left to wait for.
    fn next_expiry(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut state = self.lock();
        state.idle.retain(|idle| idle.expires > now);
        let next = state.idle.front().map(|idle| idle.expires);
        state.is_watched = next.is_some();
        next
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_of_the_past(&self, connection: &Connection) -> bool {
        match (&self.addresses, connection.address) {
            (Some(addresses), Some(address)) => !addresses.contains(&address),
            _ => false,
        }
    }
}

impl Connection {
    fn is_usable(&self) -> bool {
        self.sender.is_ready() && self.probe.is_quiet()
    }
}

/// Runs while anything is kept, and no longer than its pool.
async fn close_expired(pool: Weak<Pool>) {
    while let Some(next) = pool.upgrade().and_then(|pool| pool.next_expiry()) {
        sleep_until(next).await;
    }
}
