use std::io::{self, IoSlice};
use std::net::{Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::unsent::Unsent;

/// A client's connection, as it was accepted.
#[derive(Debug)]
pub(super) enum ClientStream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// The address of whoever comes through a Unix socket. Nobody has it on a network.
pub(super) const NO_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);

impl ClientStream {
    /// Where the client connected to. Only where all addresses are listened on that must be asked.
    pub(super) fn local_address(&self, bound: SocketAddr) -> SocketAddr {
        match self {
            Self::Tcp(stream) if bound.ip().is_unspecified() => {
                stream.local_addr().unwrap_or(bound)
            }
            Self::Tcp(_) | Self::Unix(_) => bound,
        }
    }

    /// Lets the kernel take so much before it could be sent. A failure only costs memory of the kernel.
    pub(super) fn keep_unsent(&self, unsent: Unsent) {
        if let Self::Tcp(stream) = self {
            let _ = SockRef::from(stream).set_tcp_notsent_lowat(unsent.bytes());
        }
    }

    /// Closing a socket that lingers for no time resets the connection. If that cannot be set, or
    /// means nothing, the connection is closed in order, which is all that remains.
    pub(super) fn linger_no_time(&self) {
        if let Self::Tcp(stream) = self {
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_kernel_is_told_what_to_keep() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap());
        let stream = ClientStream::Tcp(stream.await.unwrap());
        stream.keep_unsent(Unsent::Little);
        let ClientStream::Tcp(stream) = &stream else {
            panic!("it is one of TCP");
        };
        let told = SockRef::from(stream).tcp_notsent_lowat().unwrap();
        assert_eq!(told, Unsent::Little.bytes());
    }
}
