use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;

use super::config::Config;
use super::error::UpstreamError;
use super::resolver::{Heed, Lookup, Resolver};
use super::stream::{Socket, Transport};
use super::target::Target;
use super::tls::TlsIdentity;
use crate::problem::Problem;
use crate::wire::Scheme;

/// Opens connections to one origin.
#[derive(Debug)]
pub(super) struct Connector {
    place: Place,
    tls: Option<TlsIdentity>,
    timeout: Duration,
}

#[derive(Debug)]
enum Place {
    Host(Resolver),
    Socket(PathBuf),
}

/// A connection that was made, and to which of the host's addresses.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) transport: Transport,
    pub(super) address: Option<SocketAddr>,
}

impl Connector {
    pub(super) fn new(
        target: &Target,
        config: &Config,
        lookup: Lookup,
        heed: Heed,
    ) -> Result<Self, Vec<Problem>> {
        let tls = match target.scheme {
            Scheme::Http => None,
            Scheme::Https => Some(TlsIdentity::load(target)?),
        };
        let interval = config.resolve_interval;
        let resolver = || Resolver::new(target.host.clone(), target.port, interval, lookup, heed);
        let place = target.socket.clone().map(Place::Socket);
        Ok(Self {
            place: place.unwrap_or_else(|| Place::Host(resolver())),
            tls,
            timeout: config.connect_timeout,
        })
    }

    /// `None`: there are no names to ask.
    pub(super) fn resolver(&self) -> Option<&Resolver> {
        match &self.place {
            Place::Host(resolver) => Some(resolver),
            Place::Socket(_) => None,
        }
    }

    /// `http2`: it is offered, where there is TLS.
    pub(super) async fn connect(&self, http2: bool) -> Result<Connected, UpstreamError> {
        let after = self.timeout;
        match timeout(after, self.establish(http2)).await {
            Ok(result) => result,
            Err(_) => {
                if let Some(resolver) = self.resolver() {
                    resolver.doubt();
                }
                Err(UpstreamError::ConnectTimeout { after })
            }
        }
    }

    async fn establish(&self, http2: bool) -> Result<Connected, UpstreamError> {
        let (socket, address) = match &self.place {
            Place::Host(resolver) => self.reach_host(resolver).await?,
            Place::Socket(path) => (self.reach_socket(path).await?, None),
        };
        let transport = match &self.tls {
            None => Transport::Plain(socket),
            Some(tls) => {
                let config = if http2 { &tls.http2 } else { &tls.config };
                let connector = TlsConnector::from(Arc::clone(config));
                let connecting = connector.connect(tls.name.clone(), socket);
                let stream = connecting.await.map_err(UpstreamError::Tls)?;
                Transport::Tls(Box::new(stream))
            }
        };
        Ok(Connected { transport, address })
    }

    /// Where as many wait as may, the system does not let more wait: they ask again.
    async fn reach_socket(&self, path: &PathBuf) -> Result<Socket, UpstreamError> {
        let until = Instant::now() + self.timeout;
        loop {
            let source = match UnixStream::connect(path).await {
                Ok(stream) => return Ok(Socket::unix(stream)),
                Err(source) => source,
            };
            let is_busy = source.kind() == io::ErrorKind::WouldBlock;
            if !is_busy || Instant::now() + BUSY * 2 > until {
                let address = format!("unix:{}", path.display());
                return Err(UpstreamError::Connect { address, source });
            }
            sleep(BUSY).await;
        }
    }

    /// Tries the addresses in turn. Each gets its share of the time, so that one which swallows
    /// packets does not use up that of the next.
    async fn reach_host(
        &self,
        resolver: &Resolver,
    ) -> Result<(Socket, Option<SocketAddr>), UpstreamError> {
        let addresses = resolver.addresses(self.timeout / 2).await?;
        let share = self.timeout / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
        let mut failure = resolver.unknown_host(None);
        for &address in &*addresses {
            failure = match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Small writes leave at once; a failure only costs latency.
                    let _ = stream.set_nodelay(true);
                    return Ok((Socket::tcp(stream), Some(address)));
                }
                Ok(Err(source)) => UpstreamError::Connect {
                    address: address.to_string(),
                    source,
                },
                Err(_) => UpstreamError::ConnectTimeout { after: share },
            };
        }
        if failure.fault().is_some() {
            resolver.doubt();
        }
        Err(failure)
    }
}

/// An application that runs takes somebody in within some milliseconds.
const BUSY: Duration = Duration::from_millis(5);
