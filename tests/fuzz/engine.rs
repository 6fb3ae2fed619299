//! The rooms that are fuzzed, as they are, without the rest of the house: they are built in a minute,
//! and a fuzzer has less to look at.

#[path = "../../src/html/mod.rs"]
pub mod html;
#[path = "../../src/wire/mod.rs"]
pub mod wire;
