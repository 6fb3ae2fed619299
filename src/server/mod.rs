//! Sockets in, requests out: listeners, TLS, connections, their limits, and drain. Generic over the
//! service that answers; knows nothing of what a request means.

mod certificates;
mod config;
mod connection;
mod crowd;
mod error;
mod exchanges;
mod frame_watch;
mod frames;
mod handshake;
mod head_watch;
mod inherited;
mod listener;
mod malformed;
mod proxy_protocol;
mod serve;
mod signals;
mod socket;
mod streams;
mod tls_connection;
mod trailers;
mod transport;
mod unix_door;
mod unsent;
mod visitors;
mod write_gate;

pub use certificates::{
    CertificateInfo, Certificates, Challenges, ORDERED, Offered, SelfSignedError,
};
pub use config::{Config, Limits};
pub use error::BindError;
pub use exchanges::ExchangeBody;
pub use inherited::Inherited;
pub use listener::BoundAddress;
pub use serve::{ConnectionInfo, Drained, Server};
pub use signals::Handle;
pub use visitors::{Demands, VerifiedVisitor, VisitorAuthority};

#[cfg(test)]
mod tests;
