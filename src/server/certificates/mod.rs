//! The server's certificates: read from a directory, chosen by the name that a client asks for, and
//! replaced while the server runs.

mod facts;
mod inventory;
mod pairing;
mod set;
mod store;

pub use set::CertificateInfo;
pub use store::{Certificates, SelfSignedError};
