use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::{backend, bank};

/// A small HTTP/1.1 server on loopback, on a port of the system's choosing, that plays the bank
/// or the cobrowse backend.
#[derive(Debug)]
pub struct StandIn {
    listener: TcpListener,
    address: SocketAddr,
}

impl StandIn {
    pub async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Plays the bank until `shutdown` ends, and then drops every connection at once.
    pub async fn serve_bank(self, shutdown: impl Future<Output = ()>) {
        self.serve(bank_connection, shutdown).await;
    }

    /// Plays the cobrowse backend until `shutdown` ends, and then drops every connection at once.
    pub async fn serve_backend(self, shutdown: impl Future<Output = ()>) {
        self.serve(backend_connection, shutdown).await;
    }

    async fn serve<F>(self, serve: impl Fn(TcpStream) -> F, shutdown: impl Future<Output = ()>)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                Some(_) = connections.join_next() => {}
                Some((stream, permit)) = accept(&self.listener, &permits) => {
                    let connection = serve(stream);
                    connections.spawn(async move {
                        connection.await;
                        drop(permit);
                    });
                }
            }
        }
    }
}

/// The next connection, once there is room for it; `None` after a failure, with a pause, since a
/// process that is out of descriptors would otherwise spin.
///
/// Cancel safety: nothing is lost, since `accept` and `acquire_owned` lose nothing.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            tracing::warn!(%error, "the demo's server cannot accept a connection");
            tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            None
        }
    }
}

async fn bank_connection(stream: TcpStream) {
    let service = service_fn(|request| async { Ok::<_, Infallible>(bank::respond(request).await) });
    let connection = http1().serve_connection(TokioIo::new(stream), service);
    // A client that went away is no news to a demo.
    let _ = connection.await;
}

/// The connection's own task goes on with the socket after an upgrade, so that no other is needed.
async fn backend_connection(stream: TcpStream) {
    let upgrade = Mutex::new(None::<OnUpgrade>);
    let service = service_fn(|mut request| {
        let answer = backend::respond(&mut request);
        if let Some(socket) = answer.socket {
            *upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some(socket);
        }
        async { Ok::<_, Infallible>(answer.response) }
    });
    let connection = http1().serve_connection(TokioIo::new(stream), service);
    if connection.with_upgrades().await.is_err() {
        return;
    }
    let upgrade = upgrade.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(upgrade) = upgrade
        && let Ok(socket) = upgrade.await
    {
        let _ = tokio::time::timeout(SOCKET_LIFE, backend::echo(TokioIo::new(socket))).await;
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Some(HEADER_TIMEOUT));
    builder
}

/// More than a browser with several windows needs, less than descriptors there are.
const CONNECTIONS: usize = 512;
/// Also the longest that a kept connection may be idle; longer than the edge keeps one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(300);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(200);
/// A demo's session socket need not live for days.
const SOCKET_LIFE: Duration = Duration::from_secs(4 * 60 * 60);

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;

    use super::*;

    /// Sends a request that asks for the connection to be closed, and reads all that comes.
    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn plays_the_bank_over_http() {
        let bank = StandIn::bind().await.unwrap();
        let address = bank.address();
        let serving = tokio::spawn(bank.serve_bank(pending()));
        let answer = ask(
            address,
            "GET /chat HTTP/1.1\r\nHost: bank\r\nConnection: close\r\n\r\n",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("Live chat") && answer.ends_with("</HTML>\n"));
        serving.abort();
    }

    #[tokio::test]
    async fn the_backend_turns_a_connection_into_a_socket() {
        let backend = StandIn::bind().await.unwrap();
        let address = backend.address();
        let serving = tokio::spawn(backend.serve_backend(pending()));
        let handshake = "GET /cobrowse/socket HTTP/1.1\r\nHost: bank\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(handshake.as_bytes()).await.unwrap();
        stream
            .write_all(b"\x89\x81\0\0\0\0?\x88\x80\0\0\0\0")
            .await
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
        assert!(answer.ends_with(b"\r\n\r\n\x8a\x01?\x88\x00"));
        serving.abort();
    }

    #[tokio::test]
    async fn drops_open_connections_when_told_to_end() {
        let bank = StandIn::bind().await.unwrap();
        let address = bank.address();
        let (end, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn(bank.serve_bank(async {
            let _ = ended.await;
        }));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let events = b"GET /events HTTP/1.1\r\nHost: bank\r\n\r\n";
        stream.write_all(events).await.unwrap();
        stream.read_u8().await.unwrap();

        end.send(()).unwrap();
        serving.await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(
            !rest.ends_with(b"0\r\n\r\n"),
            "the stream was cut, not ended"
        );
        assert!(TcpStream::connect(address).await.is_err());
    }
}
