use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::path::Path;
use std::time::Duration;

use nix::libc::{BPF_K, BPF_RET, sock_filter, sock_fprog};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::AttachReusePortCbpf;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::error::BindError;
use super::socket::{ClientStream, NO_ADDRESS};
use super::unix_door::UnixDoor;
use super::unsent::Unsent;
use crate::wire::Scheme;

/// One address that is listened on; with port 0, the port that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundAddress {
    pub scheme: Scheme,
    pub address: SocketAddr,
}

/// A socket that takes connections.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) bound: BoundAddress,
    door: Door,
    trouble: Trouble,
}

#[derive(Debug)]
enum Door {
    Tcp(TcpListener),
    Unix(UnixDoor),
}

/// What a run of failed accepts has come to.
#[derive(Debug, Default)]
struct Trouble {
    pause: Duration,
    last_logged: Option<Instant>,
    unlogged: u64,
}

/// Connections that the kernel keeps ready while the server is at its limit.
const BACKLOG: i32 = 1024;
/// The first wait after a failed accept; it doubles up to `ACCEPT_PAUSE_MAX`.
const ACCEPT_PAUSE_MIN: Duration = Duration::from_millis(5);
/// Long enough to cost nothing while descriptors are short, short enough to be back at once.
const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);
/// At most one line about failing accepts in this time.
const ACCEPT_LOG_INTERVAL: Duration = Duration::from_secs(10);

impl Listener {
    /// On the socket that was opened for this process, if one is at hand. Must be called within a
    /// runtime.
    pub(super) fn bind(
        scheme: Scheme,
        address: SocketAddr,
        inherited: Option<net::TcpListener>,
        reuse_port: bool,
    ) -> Result<Self, BindError> {
        let open = || listen(address, reuse_port);
        let socket = inherited.map_or_else(open, |socket| Ok(socket.into()));
        let listening = socket.and_then(take_connections).and_then(|socket| {
            let address = socket.local_addr()?;
            Ok((socket, BoundAddress { scheme, address }))
        });
        let (socket, bound) = listening.map_err(|source| BindError::listen(address, source))?;
        let trouble = Trouble::default();
        Ok(Self {
            bound,
            door: Door::Tcp(socket),
            trouble,
        })
    }

    /// On a Unix socket, whose file gets this mode, and which is to be [opened](Self::open). Must be
    /// called within a runtime.
    pub(super) fn on_path(path: &Path, mode: u32, takes_over: bool) -> Result<Self, BindError> {
        let built = UnixDoor::build(path, mode, takes_over);
        let door = built.map_err(|source| BindError::Unix {
            path: path.to_owned(),
            source,
        })?;
        let bound = BoundAddress {
            scheme: Scheme::Http,
            address: NO_ADDRESS,
        };
        Ok(Self {
            bound,
            door: Door::Unix(door),
            trouble: Trouble::default(),
        })
    }

    /// Lets a Unix socket be found, in place of another process's.
    pub(super) fn open(&mut self) -> Result<(), BindError> {
        let Door::Unix(door) = &mut self.door else {
            return Ok(());
        };
        door.open().map_err(|source| BindError::Unix {
            path: door.path().to_owned(),
            source,
        })
    }

    /// The file of a Unix socket.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.door {
            Door::Tcp(_) => None,
            Door::Unix(door) => Some(door.path()),
        }
    }

    /// The next connection. An accept that fails is logged and tried again after a pause.
    ///
    /// Cancel safety: safe, no connection is lost.
    pub(super) async fn accept(&mut self) -> (ClientStream, SocketAddr) {
        loop {
            match self.door.accept().await {
                Ok(accepted) => {
                    self.trouble.pause = Duration::ZERO;
                    return accepted;
                }
                Err(error) if concerns_one_client(&error) => {}
                Err(error) => {
                    self.trouble.log(self.bound, &error);
                    sleep(self.trouble.next_pause()).await;
                }
            }
        }
    }
}

impl Door {
    async fn accept(&self) -> io::Result<(ClientStream, SocketAddr)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((ClientStream::Tcp(stream), peer))
            }
            Self::Unix(door) => Ok((ClientStream::Unix(door.accept().await?), NO_ADDRESS)),
        }
    }
}

impl Trouble {
    fn next_pause(&mut self) -> Duration {
        self.pause = (self.pause * 2).clamp(ACCEPT_PAUSE_MIN, ACCEPT_PAUSE_MAX);
        self.pause
    }

    fn log(&mut self, bound: BoundAddress, error: &io::Error) {
        let now = Instant::now();
        let is_due = self
            .last_logged
            .is_none_or(|last| now - last >= ACCEPT_LOG_INTERVAL);
        if is_due {
            let unlogged = self.unlogged;
            tracing::error!(listener = %bound, %error, unlogged, "connections cannot be taken");
            self.last_logged = Some(now);
            self.unlogged = 0;
        } else {
            self.unlogged += 1;
        }
    }
}

impl fmt::Display for BoundAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}", self.address)
    }
}

fn listen(address: SocketAddr, reuse_port: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart must not wait for the connections of the process before it to be forgotten.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // Else [::] would take IPv4 too and collide with 0.0.0.0 on the same port.
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(reuse_port)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    if reuse_port && let Err(error) = prefer_the_newest(&socket) {
        tracing::warn!(%address, %error, "new connections go to old and new edge by chance");
    }
    Ok(socket)
}

/// Of two sockets on one address, the one that came second gets all connections. Without, the kernel
/// would go on dealing some to the one that is about to close, and reset what is still in its queue
/// then. When the first has closed, the second stands in its place, and the next one is the second.
fn prefer_the_newest(socket: &Socket) -> nix::Result<()> {
    const SECOND: u32 = 1;
    // A program of one instruction: return the number of a socket. Where there is no such, the
    // kernel chooses.
    let mut program = [sock_filter {
        code: (BPF_RET | BPF_K) as u16,
        jt: 0,
        jf: 0,
        k: SECOND,
    }];
    let program = sock_fprog {
        len: 1,
        filter: program.as_mut_ptr(),
    };
    setsockopt(socket, AttachReusePortCbpf, &program)
}

fn take_connections(socket: Socket) -> io::Result<TcpListener> {
    // Its connections inherit both. A failure only costs memory of the kernel, or latency.
    let _ = socket.set_tcp_notsent_lowat(Unsent::Usual.bytes());
    let _ = socket.set_tcp_nodelay(true);
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// Whether an accept failed because of the connection that was to be accepted.
fn concerns_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_answers_leave_at_once() {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut listener = Listener::bind(Scheme::Http, any_port, None, false).unwrap();
        let _client = net::TcpStream::connect(listener.bound.address).unwrap();
        let (stream, _) = listener.accept().await;
        let ClientStream::Tcp(stream) = stream else {
            panic!("a Unix socket");
        };
        assert!(stream.nodelay().unwrap());
    }

    #[test]
    fn pauses_grow_to_their_limit() {
        let mut trouble = Trouble::default();
        let pauses: Vec<_> = (0..10).map(|_| trouble.next_pause().as_millis()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_of_failures_is_logged_now_and_then() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        let scheme = Scheme::Http;
        let bound = BoundAddress { scheme, address };
        let error = io::Error::other("too many open files");
        let mut trouble = Trouble::default();
        trouble.log(bound, &error);
        trouble.log(bound, &error);
        assert_eq!(trouble.unlogged, 1);
        tokio::time::advance(ACCEPT_LOG_INTERVAL).await;
        trouble.log(bound, &error);
        assert_eq!(trouble.unlogged, 0);
    }
}
