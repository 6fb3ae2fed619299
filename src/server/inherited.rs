use std::io;
use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;

/// Sockets that a service manager listens on for this process (systemd's socket activation). They
/// outlive it, so that a restart refuses nobody; and another process may have them at the same time,
/// which is how a new edge takes over while the old one drains.
///
/// <https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html>
#[derive(Debug, Default)]
pub struct Inherited(Vec<(SocketAddr, TcpListener)>);

impl Inherited {
    /// What the environment says was handed over, and is for this process. The variables are taken
    /// out, so that it is told once.
    pub fn of_process() -> io::Result<Self> {
        let mut handed = ListenFd::from_env();
        let mut sockets = Vec::new();
        for number in 0..handed.len() {
            if let Some(socket) = handed.take_tcp_listener(number)? {
                sockets.push((socket.local_addr()?, socket));
            }
        }
        Ok(Self(sockets))
    }

    /// The socket of an address of the settings, if somebody listens there for this process.
    pub(super) fn take(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let at = self.0.iter().position(|(known, _)| *known == address)?;
        Some(self.0.swap_remove(at).1)
    }

    /// The address of one that nobody took. Whoever connects there would wait for ever.
    pub fn left_over(&self) -> Option<SocketAddr> {
        self.0.first().map(|(address, _)| *address)
    }
}
