//! To be furnished.

pub mod demo;
