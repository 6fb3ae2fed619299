use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// An origin that a test writes out itself, one function per connection.
pub(crate) struct RawOrigin {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// One connection of the edge to an origin.
pub(crate) struct Conversation {
    pub(crate) stream: Box<dyn Stream>,
    /// What was read beyond the last head or body.
    pub(crate) buffer: Vec<u8>,
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    fn socket(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Stream for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl RawOrigin {
    pub(crate) async fn start<F>(converse: impl Fn(Conversation) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::listen(None, converse).await
    }

    /// Over TLS. A handshake that fails ends its connection without a word.
    pub(crate) async fn start_tls<F>(
        config: Arc<ServerConfig>,
        converse: impl Fn(Conversation) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::listen(Some(config), converse).await
    }

    async fn listen<F>(
        tls: Option<Arc<ServerConfig>>,
        converse: impl Fn(Conversation) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::AcqRel);
                let stream: Box<dyn Stream> = match &tls {
                    None => Box::new(stream),
                    Some(config) => {
                        let acceptor = TlsAcceptor::from(Arc::clone(config));
                        match acceptor.accept(stream).await {
                            Ok(stream) => Box::new(stream),
                            Err(_) => continue,
                        }
                    }
                };
                tokio::spawn(converse(Conversation {
                    stream,
                    buffer: Vec::new(),
                }));
            }
        });
        Self {
            address,
            connections,
            task,
        }
    }

    /// How many connections it has had.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }
}

impl Drop for RawOrigin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Conversation {
    /// The next request's head; `None` when the edge has closed the connection.
    pub(crate) async fn head(&mut self) -> Option<String> {
        let head = self.read_through(b"\r\n\r\n").await?;
        Some(String::from_utf8(head).unwrap())
    }

    /// Reads until `end` has come, and returns all up to it and with it.
    pub(crate) async fn read_through(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            let mut windows = self.buffer.windows(end.len());
            if let Some(at) = windows.position(|window| window == end) {
                return Some(self.buffer.drain(..at + end.len()).collect());
            }
            if self.stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
    }

    pub(crate) async fn read_exactly(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the connection ended too early");
        }
        self.buffer.drain(..count).collect()
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // Whether the edge still reads is for the test to find out.
        let _ = self.try_send(bytes).await;
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        let socket = SockRef::from(self.stream.socket());
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await?;
        self.stream.flush().await
    }
}
