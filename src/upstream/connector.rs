use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::config::Config;
use super::error::UpstreamError;
use super::stream::{Socket, Transport};
use super::target::Target;
use super::tls::TlsIdentity;
use crate::problem::Problem;
use crate::wire::Scheme;

/// Opens connections to one origin.
#[derive(Debug)]
pub(super) struct Connector {
    host: String,
    port: u16,
    tls: Option<TlsIdentity>,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(target: &Target, config: &Config) -> Result<Self, Vec<Problem>> {
        let tls = match target.scheme {
            Scheme::Http => None,
            Scheme::Https => Some(TlsIdentity::load(target)?),
        };
        Ok(Self {
            host: target.host.clone(),
            port: target.port,
            tls,
            timeout: config.connect_timeout,
        })
    }

    pub(super) async fn connect(&self) -> Result<Transport, UpstreamError> {
        let after = self.timeout;
        match timeout(after, self.establish()).await {
            Ok(result) => result,
            Err(_) => Err(UpstreamError::ConnectTimeout { after }),
        }
    }

    async fn establish(&self) -> Result<Transport, UpstreamError> {
        let addresses = self.resolve().await?;
        let stream = self.connect_to_any(&addresses).await?;
        // Small writes leave at once; a failure only costs latency.
        let _ = stream.set_nodelay(true);
        let socket = Socket::new(stream);
        let Some(tls) = &self.tls else {
            return Ok(Transport::Plain(socket));
        };
        TlsConnector::from(tls.config.clone())
            .connect(tls.name.clone(), socket)
            .await
            .map(|stream| Transport::Tls(Box::new(stream)))
            .map_err(UpstreamError::Tls)
    }

    async fn resolve(&self) -> Result<Vec<SocketAddr>, UpstreamError> {
        match lookup_host((self.host.as_str(), self.port)).await {
            Ok(addresses) => Ok(addresses.collect()),
            Err(source) => Err(self.unknown_host(Some(source))),
        }
    }

    /// Tries the addresses in turn. Each gets its share of the time, so that one which swallows
    /// packets does not use up that of the next.
    async fn connect_to_any(&self, addresses: &[SocketAddr]) -> Result<TcpStream, UpstreamError> {
        let share = self.timeout / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
        let mut failure = self.unknown_host(None);
        for &address in addresses {
            failure = match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(source)) => UpstreamError::Connect { address, source },
                Err(_) => UpstreamError::ConnectTimeout { after: share },
            };
        }
        Err(failure)
    }

    fn unknown_host(&self, source: Option<io::Error>) -> UpstreamError {
        let host = self.host.clone();
        UpstreamError::Dns { host, source }
    }
}
