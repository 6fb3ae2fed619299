use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::Instant;

use super::error::UpstreamError;

/// The addresses of one host.
pub(super) struct Resolver {
    host: String,
    port: u16,
    /// How long they are taken for true.
    interval: Duration,
    lookup: Lookup,
    known: Mutex<Option<Known>>,
}

pub(super) type Addresses = Arc<[SocketAddr]>;
type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
/// How names are looked up.
pub(super) type Lookup = Box<dyn Fn(String, u16) -> Found + Send + Sync>;

#[derive(Clone, Debug)]
struct Known {
    addresses: Addresses,
    /// `None`: for ever.
    until: Option<Instant>,
}

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
    pub(super) fn new(host: String, port: u16, interval: Duration, lookup: Lookup) -> Self {
        let literal = host.parse::<IpAddr>().ok().map(|address| Known {
            addresses: Arc::new([SocketAddr::new(address, port)]),
            until: None,
        });
        Self {
            host,
            port,
            interval,
            lookup,
            known: Mutex::new(literal),
        }
    }

    /// What is known, if that is new enough; else it is looked up.
    pub(super) async fn addresses(&self) -> Result<Addresses, UpstreamError> {
        let known = self.lock().clone();
        match known {
            Some(known) if known.until.is_none_or(|until| until > Instant::now()) => {
                Ok(known.addresses)
            }
            _ => self.look_up().await,
        }
    }

    /// What names say now; where they say nothing, what they said before.
    pub(super) async fn look_up(&self) -> Result<Addresses, UpstreamError> {
        let found = (self.lookup)(self.host.clone(), self.port).await;
        let source = match found {
            Ok(found) if !found.is_empty() => {
                let addresses: Addresses = found.into();
                *self.lock() = Some(Known {
                    addresses: Arc::clone(&addresses),
                    until: Some(Instant::now() + self.interval),
                });
                return Ok(addresses);
            }
            Ok(_) => None,
            Err(source) => Some(source),
        };
        let before = self
            .lock()
            .as_ref()
            .map(|known| Arc::clone(&known.addresses));
        before.ok_or_else(|| self.unknown_host(source))
    }

    /// None of the addresses took a connection: names may say something else by now.
    pub(super) fn doubt(&self) {
        if let Some(Known {
            until: Some(until), ..
        }) = &mut *self.lock()
        {
            *until = Instant::now();
        }
    }

    /// How often names are to be asked; `None`: the host is an address.
    pub(super) fn interval(&self) -> Option<Duration> {
        let is_name = self.host.parse::<IpAddr>().is_err();
        is_name.then_some(self.interval)
    }

    pub(super) fn unknown_host(&self, source: Option<io::Error>) -> UpstreamError {
        let host = self.host.clone();
        UpstreamError::Dns { host, source }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("host", &self.host)
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}
