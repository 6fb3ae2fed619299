//! A client to one origin: where it is, how it is reached, what may take how long, and what went
//! wrong when it did. HTTP/1.1 over TCP and TLS, with pooled connections. Knows no site and no rule.

mod body;
mod client;
mod config;
mod connector;
mod error;
mod flow;
mod framing;
mod idle;
mod pool;
mod request_body;
mod reusable;
mod stream;
mod target;
mod tls;

pub use body::UpstreamBody;
pub use client::Client;
pub use config::Config;
pub use error::UpstreamError;
pub use target::{Target, TlsSettings};

#[cfg(test)]
mod tests;
