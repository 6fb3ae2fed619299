//! HTTP grammar: everything that reads or writes heads and framing, as pure functions and types
//! over the `http` crate. Waits for nothing, knows no site and no rule.

mod body;
mod codec;
mod coding;
mod scheme;

pub use body::{BoxError, EdgeBody, empty_body, full_body};
pub use codec::{CodecError, Decoder, Encoder};
pub use coding::Coding;
pub use scheme::Scheme;
