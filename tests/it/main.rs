//! The whole edge over real sockets, and the rules of the house.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "all of this is tests, though clippy takes only what is marked as one for it"
)]

mod acme;
mod admin;
#[cfg(feature = "backend")]
mod agent_commands;
#[cfg(feature = "backend")]
mod agents;
mod answers;
#[cfg(feature = "backend")]
mod backend;
mod caching;
mod charsets;
mod client_certificates;
mod commands;
mod csp;
mod demo_site;
mod drain;
mod enforce;
mod failures;
mod faults;
mod faulty;
mod floods;
mod framing;
mod grants;
#[path = "../oracle/gzip/mod.rs"]
mod gzip;
mod heads;
mod life;
mod listeners;
mod memory;
#[path = "../oracle/mod.rs"]
mod oracle;
mod origins;
mod pages;
mod process_log;
mod reload;
mod secrets;
mod service;
mod session;
mod soup;
mod splice;
mod standing;
mod streaming;
mod support;
mod tidy;
mod tls;
mod truncation;
mod tunnel;
mod untyped;
mod uploads;
mod verdict;
#[cfg(feature = "backend")]
mod web;
