//! "First Example Bank": a web site as banks had them from 1999 to 2008, played in process.
//!
//! It is deliberately old, and not always right: table layout, unclosed cells, windows-1252 bytes
//! without a word about the charset, frames, `document.write`. What is in `pages/` is served as it
//! stands there, byte for byte, but for server-side includes. It knows nothing of the edge; only
//! [`PAGES`] says what the demo's rules should make of each address.

mod catalogue;
mod coding;
mod page;
mod reply;
mod route;
mod statement;
mod terms;
mod ticker;

#[cfg(test)]
mod tests;

pub use catalogue::{Expect, PAGES, PageInfo};
pub use route::respond;
