//! Who an agent is and what he may do. Everything here fails closed: what cannot be known is refused.
//!
//! Decisions are made on a copy of the agents in memory, which is read anew within a moment after another
//! process has changed them; whoever holds a socket open is told.

mod agents;
mod decision;
mod limits;
mod logins;
mod password;
mod quota;
mod refusals;
mod token;
mod watching;

pub use agents::Agents;
pub use decision::{Action, allowed};
pub use limits::{Guess, Limits, RateLimited};
pub use logins::{Login, LoginSocket, SocketKind};
pub use password::{PASSWORD_CHARACTERS_MIN, PasswordError, hash_password};
pub use quota::{Bucket, Quota};
pub use token::{Token, TokenError};
pub use watching::{Access, LoginRefusal};

#[cfg(test)]
mod tests;
