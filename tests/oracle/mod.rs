//! What a page is to a browser: html5ever's reading of it, against which tests and fuzz targets hold
//! the engine. Each includes it by its path, for no part of it belongs into the library.

#![allow(dead_code, reason = "each of those who include it needs another part")]
#![allow(
    clippy::expect_used,
    reason = "all of this is tests, though clippy takes only what is marked as one for it"
)]

pub(crate) mod engine;
pub(crate) mod selector;
pub(crate) mod soup;
pub(crate) mod tree;
