//! The way to the origins of a site: where they are, how they are reached, which of them is asked, what
//! may take how long, and what went wrong when it did. HTTP/1.1 over TCP, TLS and Unix sockets, or
//! HTTP/2 over TLS, with pooled connections. Knows no site and no rule.
//!
//! A [`Client`] is the way to one origin; [`Origins`] are those of a site, one or several. Which is
//! asked (`balance`), when one is left alone and when it is back (`health`), and how much may be sent
//! again (`budget`) are decided without a socket or a clock.

mod attempt;
mod balance;
mod body;
mod budget;
mod check;
mod client;
mod config;
mod connector;
mod error;
mod flow;
mod framing;
mod group;
mod health;
mod http2;
mod idle;
mod line;
mod multiplexed;
mod origins;
mod pool;
mod pulse;
mod queue;
mod replay;
mod request_body;
mod resolver;
mod reusable;
mod stream;
mod target;
mod tls;
mod turn;

pub use balance::{Balance, HashOn};
pub use body::UpstreamBody;
pub use budget::RetryConfig;
pub use check::HealthCheck;
pub use client::Client;
pub use config::Config;
pub use error::UpstreamError;
pub use health::Ejection;
pub use origins::{OriginStatus, Origins, Policy};
pub use queue::QueueConfig;
pub use target::{Target, TlsSettings};

#[cfg(test)]
mod tests;
