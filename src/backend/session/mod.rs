//! What a session is, and what becomes of it: happenings in, effects out. Knows no socket, no task and
//! no clock; moments are told.
//!
//! What happens changes the facts. What follows (which tab is shown, how the session stands, who is to
//! be told what) is worked out anew from the facts each time and compared with what was told before, so
//! that it cannot get out of step with them.

mod effect;
mod facts;
mod happening;
mod ledger;
mod machine;
mod recording;
mod seat;
mod settle;
mod tab;
#[cfg(test)]
mod tests;

pub use effect::{AgentEvent, Effect, Line};
pub use facts::{Identity, Pause, SessionFacts, Standing, VisitorData};
pub use happening::{Admission, Guest, Happening, OpenedPage, Order, SeatNo, SocketNo};
pub use machine::{Session, Terms};

use std::time::Duration;

/// A point in time: how long after some beginning, the same for all of a roster.
pub type Moment = Duration;
