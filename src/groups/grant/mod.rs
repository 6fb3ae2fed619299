//! Page grants: what a page allows, signed, so that whoever is to run a session can ask the page
//! itself. A grant is no visitor's credential: it is the same for all visitors of a page, and the
//! same on every edge that has the same keys.
//!
//! ```text
//! v1.<key id>.<base64url(payload)>.<base64url(HMAC-SHA-256 of all that stands in front)>
//! ```
//!
//! The version fixes the algorithm; there is no choice in it for anybody to make. Each grant has one
//! spelling: whatever else would decode to the same bytes is refused.

mod epoch;
mod keys;
mod page_grant;
mod refusal;
#[cfg(test)]
mod tests;

pub use epoch::GrantEpoch;
pub use keys::{GRANT_BYTES_MAX, GrantKeyError, GrantKeys};
pub use page_grant::{GrantFields, PageGrant, UnwritableGrant};
pub use refusal::GrantRefusal;
