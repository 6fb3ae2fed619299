//! Certificates that the edge orders itself (ACME, RFC 8555): which are due, how an order goes, what is
//! kept of it. Nothing here stands between a visitor and a page: what goes wrong is logged, counted and
//! tried again later, with the certificates of before in force.

mod authority;
mod config;
mod error;
mod hosts;
mod keeper;
mod order;
mod schedule;
mod store;

pub use config::{ChallengeKind, Config, ExternalAccount, Pace};
pub use hosts::orderable;
pub use keeper::{Keeper, Keeping};
