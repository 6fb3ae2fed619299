use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, ready};

use http::StatusCode;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::client::TlsStream;

use super::flow::Flow;
use super::pulse::InFlight;
use super::tls::HTTP_2;

/// A connection to an origin, TLS or not, that counts what was received.
#[derive(Debug)]
pub(super) struct Stream {
    transport: Transport,
    received: Arc<AtomicU64>,
    /// As many bytes may have been received before the head of an answer is there.
    limit: Arc<AtomicU64>,
    flow: Arc<Flow>,
    _tenancy: Arc<Tenancy>,
    /// For as long as the connection is open.
    _permit: Option<OwnedSemaphorePermit>,
}

/// The exchange that a connection belongs to once it has become a tunnel: it lasts as long.
pub(super) type Tenancy = OnceLock<InFlight>;

/// What can be known about a connection from outside of the task that drives it.
#[derive(Debug)]
pub(super) struct Probe {
    socket: Outlet<Weak<tcp::OwnedWriteHalf>, Weak<unix::OwnedWriteHalf>>,
    received: Arc<AtomicU64>,
    limit: Arc<AtomicU64>,
    flow: Arc<Flow>,
    tenancy: Arc<Tenancy>,
}

/// A stream whose socket can be looked at while another task reads it.
#[derive(Debug)]
pub(super) struct Socket {
    reader: Outlet<tcp::OwnedReadHalf, unix::OwnedReadHalf>,
    writer: Outlet<Arc<tcp::OwnedWriteHalf>, Arc<unix::OwnedWriteHalf>>,
}

/// The same of either kind of socket.
#[derive(Debug)]
enum Outlet<T, U> {
    Tcp(T),
    Unix(U),
}

#[derive(Debug)]
pub(super) enum Transport {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Stream {
    pub(super) fn new(transport: Transport, permit: Option<OwnedSemaphorePermit>) -> (Self, Probe) {
        let received = Arc::new(AtomicU64::new(0));
        let probe = Probe {
            socket: match &transport.socket().writer {
                Outlet::Tcp(writer) => Outlet::Tcp(Arc::downgrade(writer)),
                Outlet::Unix(writer) => Outlet::Unix(Arc::downgrade(writer)),
            },
            received: Arc::clone(&received),
            limit: Arc::new(AtomicU64::new(u64::MAX)),
            flow: Arc::default(),
            tenancy: Arc::default(),
        };
        let stream = Self {
            transport,
            received,
            limit: Arc::clone(&probe.limit),
            flow: Arc::clone(&probe.flow),
            _tenancy: Arc::clone(&probe.tenancy),
            _permit: permit,
        };
        (stream, probe)
    }

    fn transport(self: Pin<&mut Self>) -> Pin<&mut dyn Duplex> {
        match &mut self.get_mut().transport {
            Transport::Plain(socket) => Pin::new(socket),
            Transport::Tls(stream) => Pin::new(stream.as_mut()),
        }
    }
}

impl Probe {
    /// Bytes (of HTTP, not of TLS) received so far.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Acquire)
    }

    /// From here on so many bytes may come, interim answers among them, until [`Self::head_came`].
    pub(super) fn expect_head(&self, bytes_max: u64) {
        let limit = self.received().saturating_add(bytes_max);
        self.limit.store(limit, Ordering::Release);
    }

    pub(super) fn head_came(&self) {
        self.limit.store(u64::MAX, Ordering::Release);
    }

    /// Lets the origin know that its answer has come. An origin whose system waits for that before
    /// it sends small pieces (Nagle) would send what it has beyond the answer only when the next
    /// request arrives, as if it were the answer to it.
    pub(super) fn acknowledge(&self) {
        if let Outlet::Tcp(socket) = &self.socket
            && let Some(socket) = socket.upgrade()
        {
            acknowledge(socket.as_ref().as_ref());
        }
    }

    /// Where the exchange goes if its answer makes a tunnel of the connection.
    pub(super) fn tenancy(&self, status: StatusCode) -> Option<Arc<Tenancy>> {
        (status == StatusCode::SWITCHING_PROTOCOLS).then(|| Arc::clone(&self.tenancy))
    }

    pub(super) fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// Whether the connection is open and nothing has come that nobody asked for. A connection
    /// that the origin has closed, or on which bytes lie that would be taken for the answer to the
    /// next request, must not carry that request.
    pub(super) fn is_quiet(&self) -> bool {
        match &self.socket {
            Outlet::Tcp(socket) => {
                let socket = socket.upgrade();
                socket.is_some_and(|socket| is_quiet(&SockRef::from(socket.as_ref().as_ref())))
            }
            Outlet::Unix(socket) => {
                let socket = socket.upgrade();
                socket.is_some_and(|socket| is_quiet(&SockRef::from(socket.as_ref().as_ref())))
            }
        }
    }
}

fn is_quiet(socket: &SockRef<'_>) -> bool {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    // The socket does not block: "would block" is the only healthy answer.
    let peeked = socket.peek(&mut byte);
    matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

impl Socket {
    pub(super) fn tcp(stream: TcpStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self {
            reader: Outlet::Tcp(reader),
            writer: Outlet::Tcp(Arc::new(writer)),
        }
    }

    pub(super) fn unix(stream: UnixStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self {
            reader: Outlet::Unix(reader),
            writer: Outlet::Unix(Arc::new(writer)),
        }
    }
}

impl Transport {
    /// Whether HTTP/2 was agreed on.
    pub(super) fn is_http2(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(HTTP_2),
        }
    }

    fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.received.load(Ordering::Acquire) > self.limit.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        let allowance = ready!(self.flow.poll_allowance(cx));
        let before = buf.filled().len();
        let mut limited = self.as_mut().transport().take(allowance as u64);
        ready!(Pin::new(&mut limited).poll_read(cx, buf))?;
        let count = buf.filled().len() - before;
        self.received.fetch_add(count as u64, Ordering::Release);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.transport().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.transport().poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(socket) => socket.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.reader {
            Outlet::Tcp(reader) => Pin::new(reader).poll_read(cx, buf),
            Outlet::Unix(reader) => Pin::new(reader).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_try_write(cx, |half| match half {
            Outlet::Tcp(socket) => socket.try_write(bytes),
            Outlet::Unix(socket) => socket.try_write(bytes),
        })
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_try_write(cx, |half| match half {
            Outlet::Tcp(socket) => socket.try_write_vectored(slices),
            Outlet::Unix(socket) => socket.try_write_vectored(slices),
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let write = std::net::Shutdown::Write;
        Poll::Ready(match self.stream() {
            Outlet::Tcp(socket) => SockRef::from(socket).shutdown(write),
            Outlet::Unix(socket) => SockRef::from(socket).shutdown(write),
        })
    }
}

impl Socket {
    fn stream(&self) -> Outlet<&TcpStream, &UnixStream> {
        match &self.writer {
            Outlet::Tcp(writer) => Outlet::Tcp(writer.as_ref().as_ref()),
            Outlet::Unix(writer) => Outlet::Unix(writer.as_ref().as_ref()),
        }
    }

    fn poll_try_write(
        &self,
        cx: &mut Context<'_>,
        write: impl Fn(Outlet<&TcpStream, &UnixStream>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(match self.stream() {
                Outlet::Tcp(socket) => socket.poll_write_ready(cx),
                Outlet::Unix(socket) => socket.poll_write_ready(cx),
            })?;
            match write(self.stream()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

/// A failure leaves things as they are elsewhere, where the system has no such thing.
#[cfg(target_os = "linux")]
fn acknowledge(socket: &TcpStream) {
    let _ = socket.set_quickack(true);
}

#[cfg(not(target_os = "linux"))]
fn acknowledge(_: &TcpStream) {}

/// Both directions at once, so that a transport can be chosen at run time.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    /// A connection that nobody reads, and the origin's end of it.
    async fn connection() -> (Stream, Probe, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connecting = TcpStream::connect(listener.local_addr().unwrap());
        let (near, far) = tokio::join!(connecting, listener.accept());
        let (stream, probe) = Stream::new(Transport::Plain(Socket::tcp(near.unwrap())), None);
        (stream, probe, far.unwrap().0)
    }

    #[tokio::test]
    async fn an_open_connection_without_a_word_is_quiet() {
        let (stream, probe, _far) = connection().await;
        assert!(probe.is_quiet());
        drop(stream);
        assert!(!probe.is_quiet(), "it is closed");
    }

    #[tokio::test]
    async fn bytes_that_nobody_asked_for_are_seen_before_anybody_reads_them() {
        let (_stream, probe, mut far) = connection().await;
        far.write_all(b"x").await.unwrap();
        assert!(!probe.is_quiet());
    }

    #[tokio::test]
    async fn an_end_is_seen_before_anybody_reads_it() {
        let (_stream, probe, far) = connection().await;
        drop(far);
        assert!(!probe.is_quiet());
    }
}
