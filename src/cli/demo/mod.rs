//! `cobrowse-edge demo`: a legacy bank, a stand-in for the cobrowse backend, and the rules that
//! join them, so that a newcomer sees the edge at work with nothing else installed.
//!
//! The bank and the backend are played by in-process servers on loopback; they know nothing of
//! the edge, which meets them over sockets like any origin.

mod backend;
pub mod bank;
mod rules;
mod stand_in;
mod welcome;

pub use rules::rules;
pub use stand_in::StandIn;
pub use welcome::Addresses;
