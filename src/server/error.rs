use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

use super::inherited::Inherited;

/// Why the server could not start. The text names the address and what would be right.
#[derive(Debug, Error)]
pub enum BindError {
    #[error(
        "{address} is in use: end the program that listens there, or choose another address with --listen"
    )]
    AddressInUse {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error(
        "{address} is not an address of this machine: write 127.0.0.1, 0.0.0.0 or one that it has"
    )]
    AddressNotHere {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("an HTTPS address is given but no certificate: name a directory of certificates")]
    NoCertificates,
    #[error(
        "the service manager listens on {address}, which no setting names: write it in [server] or \
         [admin], or take its ListenStream= out of the socket unit"
    )]
    NotNamed { address: SocketAddr },
    #[error("no address to listen on: give one with --listen")]
    NoListener,
    #[error(
        "{address} is not allowed: ports below 1024 need root or the capability CAP_NET_BIND_SERVICE; choose a higher port with --listen"
    )]
    PermissionDenied {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("cannot listen on the Unix socket {}: {source}", path.display())]
    Unix { path: PathBuf, source: io::Error },
    #[error("TLS cannot be offered")]
    Tls(#[from] rustls::Error),
}

impl BindError {
    /// What was handed over must have been taken, or visitors wait where nobody listens.
    pub fn unless_all_taken(inherited: &Inherited) -> Result<(), Self> {
        let left = inherited.left_over();
        left.map_or(Ok(()), |address| Err(Self::NotNamed { address }))
    }

    pub(super) fn listen(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse { address, source },
            io::ErrorKind::AddrNotAvailable => Self::AddressNotHere { address, source },
            io::ErrorKind::PermissionDenied => Self::PermissionDenied { address, source },
            _ => Self::Listen { address, source },
        }
    }
}
