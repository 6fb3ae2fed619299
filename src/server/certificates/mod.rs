//! The server's certificates: read from a directory, chosen by the name that a client asks for, and
//! replaced while the server runs.

mod challenges;
mod facts;
mod inventory;
mod pairing;
mod set;
mod store;

pub use challenges::{Challenges, Offered};
pub use set::{CertificateInfo, ORDERED};
pub(super) use store::{ALPN_CHALLENGE, asks_for_a_challenge};
pub use store::{Certificates, SelfSignedError};
