use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::error::UpstreamError;

/// The addresses of one host. Clones share what is known of them.
#[derive(Clone)]
pub(super) struct Resolver {
    shared: Arc<Shared>,
}

struct Shared {
    host: String,
    port: u16,
    /// How long they are taken for true.
    interval: Duration,
    lookup: Lookup,
    heed: Heed,
    state: Mutex<State>,
}

pub(super) type Addresses = Arc<[SocketAddr]>;
type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
/// How names are looked up.
pub(super) type Lookup = Box<dyn Fn(String, u16) -> Found + Send + Sync>;
/// Who is told of what was found.
pub(super) type Heed = Box<dyn Fn(&Addresses) + Send + Sync>;

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    /// Why the last look-up found nothing.
    failure: Option<Arc<io::Error>>,
    /// Closed when the look-up that is on its way has ended.
    looking: Option<watch::Receiver<()>>,
}

#[derive(Clone, Debug)]
struct Known {
    addresses: Addresses,
    /// `None`: for ever.
    until: Option<Instant>,
    /// None of them took a connection.
    is_doubted: bool,
}

/// Longer than systems take that ask one dead name server after the other.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(30);
/// Names that cannot be looked up are not asked more often than this.
const PAUSE: Duration = Duration::from_secs(1);

/// As the system does it.
pub(super) fn by_system() -> Lookup {
    Box::new(|host, port| {
        Box::pin(async move {
            let found = lookup_host((host, port)).await?;
            Ok(found.collect())
        })
    })
}

impl Resolver {
    pub(super) fn new(
        host: String,
        port: u16,
        interval: Duration,
        lookup: Lookup,
        heed: Heed,
    ) -> Self {
        let literal = host.parse::<IpAddr>().ok().map(|address| Known {
            addresses: Arc::new([SocketAddr::new(address, port)]),
            until: None,
            is_doubted: false,
        });
        let state = State {
            known: literal,
            ..State::default()
        };
        Self {
            shared: Arc::new(Shared {
                host,
                port,
                interval,
                lookup,
                heed,
                state: Mutex::new(state),
            }),
        }
    }

    /// What is known. Where that is old, names are asked meanwhile and nobody waits for them: those
    /// that do not answer take no site away. They have `patience` for an answer where no address
    /// took a connection.
    pub(super) async fn addresses(&self, patience: Duration) -> Result<Addresses, UpstreamError> {
        let known = self.lock().known.clone();
        let Some(known) = known else {
            return self.look_up().await;
        };
        if known.is_doubted {
            let found = timeout(patience, self.look_up()).await;
            return found.unwrap_or_else(|_| self.trust(known.addresses));
        }
        if known.until.is_some_and(|until| until <= Instant::now()) {
            self.begin();
        }
        Ok(known.addresses)
    }

    /// What names say now; where they say nothing, what they said before.
    pub(super) async fn look_up(&self) -> Result<Addresses, UpstreamError> {
        // That it is closed is what is waited for.
        let _ = self.begin().changed().await;
        let state = self.lock();
        let known = state.known.as_ref();
        let known = known.map(|known| Arc::clone(&known.addresses));
        known.ok_or_else(|| self.unknown_host(state.failure.clone()))
    }

    /// One look-up at once: who comes meanwhile waits for what comes of it. It goes on when nobody
    /// waits any more, so that late answers are of use to who comes next.
    fn begin(&self) -> watch::Receiver<()> {
        let mut state = self.lock();
        let is_on_its_way = |looking: &&watch::Receiver<()>| looking.has_changed().is_ok();
        if let Some(looking) = state.looking.as_ref().filter(is_on_its_way) {
            return looking.clone();
        }
        let (done, looking) = watch::channel(());
        state.looking = Some(looking.clone());
        drop(state);
        let resolver = self.clone();
        let found = (self.shared.lookup)(self.shared.host.clone(), self.shared.port);
        tokio::spawn(async move {
            let found = timeout(LOOKUP_TIME_MAX, found).await;
            resolver.note(found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())));
            drop(done);
        });
        looking
    }

    fn note(&self, found: io::Result<Vec<SocketAddr>>) {
        let failure = match found {
            Ok(found) if !found.is_empty() => return self.note_found(&found.into()),
            Ok(_) => None,
            Err(failure) => Some(Arc::new(failure)),
        };
        let mut state = self.lock();
        state.failure = failure;
        if let Some(known) = &mut state.known {
            known.until = Some(Instant::now() + PAUSE.min(self.shared.interval));
            known.is_doubted = false;
        }
    }

    fn note_found(&self, addresses: &Addresses) {
        self.lock().known = Some(Known {
            addresses: Arc::clone(addresses),
            until: Some(Instant::now() + self.shared.interval),
            is_doubted: false,
        });
        (self.shared.heed)(addresses);
    }

    /// None of the addresses took a connection: names may say something else by now.
    pub(super) fn doubt(&self) {
        if let Some(known) = &mut self.lock().known {
            known.is_doubted = known.until.is_some();
        }
    }

    fn trust(&self, addresses: Addresses) -> Result<Addresses, UpstreamError> {
        if let Some(known) = &mut self.lock().known {
            known.is_doubted = false;
        }
        Ok(addresses)
    }

    /// How often names are to be asked; `None`: the host is an address.
    pub(super) fn interval(&self) -> Option<Duration> {
        let is_name = self.shared.host.parse::<IpAddr>().is_err();
        is_name.then_some(self.shared.interval)
    }

    pub(super) fn unknown_host(&self, source: Option<Arc<io::Error>>) -> UpstreamError {
        let host = self.shared.host.clone();
        let source = source.map(|source| io::Error::new(source.kind(), source));
        UpstreamError::Dns { host, source }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("host", &self.shared.host)
            .field("state", &self.shared.state)
            .finish_non_exhaustive()
    }
}
