//! The whole edge over real sockets, and the rules of the house.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where something is not as it should be"
)]

mod demo_site;
mod framing;
mod memory;
mod streaming;
mod support;
mod tidy;
mod truncation;
