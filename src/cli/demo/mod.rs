//! `cobrowse-edge demo`: a legacy bank and the rules that join it with the backend in this program, so
//! that a newcomer sees the edge at work with nothing else installed. Where it is wanted, or where this
//! program has no backend, one elsewhere is played.
//!
//! The bank and such a backend are played by in-process servers on loopback; they know nothing of
//! the edge, which meets them over sockets like any origin.

#[cfg(feature = "backend")]
mod agents;
mod backend;
pub mod bank;
mod rules;
mod stand_in;
mod welcome;

#[cfg(feature = "backend")]
pub(super) use agents::{Cast, Desk};
pub use rules::{rules, rules_for_stand_in};
pub use stand_in::StandIn;
pub use welcome::Addresses;
