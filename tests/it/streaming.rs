//! Bytes leave as they come, and no faster than the visitor takes them.

mod arrival;
mod pressure;
mod reader;
